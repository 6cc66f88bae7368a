"""The Events table: every event as it was sent, so that it can be sent again word for word.

The index ``by_day`` orders events by when they were observed, so that a listing since a time finds
what came to light since then, however long ago it happened.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached (trying again helps)
and UnreadableEventError for an item that this version did not write (it does not).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import matches
from examhook.events.build import Event
from examhook.events.encoding import instant
from examhook.storage.attributes import read_number
from examhook.storage.conditional import if_it_holds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

DAY_INDEX = "by_day"
SCHEMA_VERSION = 1
MAX_RETENTION_DAYS = 365
"""No event is kept for longer (template.yaml, ``RetentionDays``), so no listing looks further back."""
AHEAD_DAYS = 3
"""Events are listed by the provider's clock, and it may be so far ahead of ours."""

_AFTER_ANY_ID = "\uffff"


class UnreadableEventError(ValueError):
    """A stored event is not what this version writes; trying again does not help."""


class EventsTable:
    """Reads and conditional writes of events."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def add(self, event: Event, expires_at: int) -> bool:
        """Store an event until ``expires_at`` (Unix seconds); False, and nothing written, if its id is there."""
        written = if_it_holds(
            self._client.put_item,
            TableName=self._table_name,
            Item=_item_from_event(event, expires_at),
            ConditionExpression="attribute_not_exists(event_id)",
        )
        return written is not None

    def get(self, event_id: str) -> Event | None:
        """One event, as last written; None if there is none (any more)."""
        item = self._item(event_id)
        return None if item is None or is_erased(item) else event_from_item(item)

    def is_dispatched(self, event_id: str) -> bool:
        """Whether every destination has been given the event."""
        item = self._item(event_id)
        return item is not None and "dispatched_at" in item

    def is_published(self, event_id: str) -> bool:
        """Whether SNS has been given the event, though another destination has not."""
        item = self._item(event_id)
        return item is not None and "published_at" in item

    def mark_published(self, event_id: str, at: int) -> None:
        """Remember that SNS has been given the event, for the time until all have; the first mark stands."""
        self._mark(event_id, "published_at", at)

    def mark_dispatched(self, event_id: str, at: int) -> None:
        """Remember that every destination has been given the event; the first mark stands."""
        self._mark(event_id, "dispatched_at", at)

    def _mark(self, event_id: str, name: str, at: int) -> None:
        # Where the event expired meanwhile, a mark without it would stay for ever.
        if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key={"event_id": {"S": event_id}},
            UpdateExpression="SET #mark = if_not_exists(#mark, :at)",
            ConditionExpression="attribute_exists(event_id)",
            ExpressionAttributeNames={"#mark": name},
            ExpressionAttributeValues={":at": {"N": str(at)}},
        )

    def list_events(  # noqa: PLR0913 - each is an option of the listing
        self,
        since: int,
        until: int,
        exam_id: str | None = None,
        types: Sequence[str] = (),
        limit: int = 100,
        *,
        ahead_days: int = 0,
    ) -> list[Event]:
        """The newest ``limit`` events observed from ``since`` to ``until`` (Unix seconds, both included).

        ``until`` is now or earlier, and ``ahead_days`` after it are looked at as well; a ``since`` from before anything
        that is still kept costs nothing.
        Only those about ``exam_id`` and of one of ``types`` (names, or patterns such as
        ``submission.*``), where given. The index follows the table within moments.
        """
        found = self._in_index(since, until, ahead_days, forward=False)
        return list(islice(self._picked(found, exam_id, types), limit))

    def oldest_first(
        self, since: int, until: int, exam_id: str | None = None, types: Sequence[str] = (), *, ahead_days: int = 0
    ) -> Iterator[Event]:
        """Every event observed from ``since`` to ``until``, as ``list_events`` picks them, without a limit."""
        return self._picked(self._in_index(since, until, ahead_days, forward=True), exam_id, types)

    @staticmethod
    def _picked(found: Iterator[Event], exam_id: str | None, types: Sequence[str]) -> Iterator[Event]:
        return (
            event
            for event in found
            if (exam_id is None or event.exam_id == exam_id)
            and (not types or any(matches(pattern, event.event_type) for pattern in types))
        )

    def _in_index(self, since: int, until: int, ahead_days: int, *, forward: bool) -> Iterator[Event]:
        pages = self._client.get_paginator("query")
        days = list(_days_back(since, until, ahead_days))
        latest = until + ahead_days * 86_400
        for day in reversed(days) if forward else days:
            for page in pages.paginate(
                TableName=self._table_name,
                IndexName=DAY_INDEX,
                KeyConditionExpression="#day = :day AND listed_at BETWEEN :since AND :until",
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues={
                    ":day": {"S": day.isoformat()},
                    ":since": {"S": instant(since)},
                    ":until": {"S": f"{instant(latest)}#{_AFTER_ANY_ID}"},
                },
                ScanIndexForward=forward,
            ):
                yield from map(event_from_item, page["Items"])

    def _item(self, event_id: str) -> Mapping[str, AttributeValueTypeDef] | None:
        answer = self._client.get_item(
            TableName=self._table_name, Key={"event_id": {"S": event_id}}, ConsistentRead=True
        )
        return answer.get("Item")


def _days_back(since: int, until: int, ahead_days: int) -> Iterator[date]:
    first, day = (datetime.fromtimestamp(at, UTC).date() for at in (since, until))
    first = max(first, day - timedelta(days=MAX_RETENTION_DAYS))
    day += timedelta(days=ahead_days)
    while day >= first:
        yield day
        day -= timedelta(days=1)


def _item_from_event(event: Event, expires_at: int) -> dict[str, AttributeValueTypeDef]:
    listed_at = instant(event.observed_at)
    texts = {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "account": event.account,
        "exam_id": event.exam_id,
        "status": event.status,
        "previous_id": event.previous_id,
        # As text, so that a person can read it in the console; JSON in UTF-8 comes back byte for byte.
        "body": event.body.decode(),
        "day": listed_at[:10],
        "listed_at": f"{listed_at}#{event.event_id}",
    }
    numbers = {
        "v": SCHEMA_VERSION,
        "occurred_at": event.occurred_at,
        "observed_at": event.observed_at,
        "sequence": event.sequence,
        "expires_at": expires_at,
    }
    return {
        **{name: {"S": text} for name, text in texts.items() if text is not None},
        **{name: {"N": str(number)} for name, number in numbers.items() if number is not None},
    }


def is_erased(item: Mapping[str, AttributeValueTypeDef]) -> bool:
    """Whether only the id is left of an event, so that it is not made again (``storage.candidate_events``)."""
    return "erased_for" in item


def event_from_item(item: Mapping[str, AttributeValueTypeDef]) -> Event:
    """The event in an item; raises UnreadableEventError."""
    try:
        if (version := int(item["v"]["N"])) != SCHEMA_VERSION:
            raise UnreadableEventError(f"an event's item has schema version {version}, wanted {SCHEMA_VERSION}")
        return Event(
            event_id=item["event_id"]["S"],
            event_type=item["event_type"]["S"],
            account=_read_text(item, "account"),
            exam_id=_read_text(item, "exam_id"),
            status=_read_text(item, "status"),
            occurred_at=int(item["occurred_at"]["N"]),
            observed_at=int(item["observed_at"]["N"]),
            sequence=read_number(item, "sequence"),
            previous_id=_read_text(item, "previous_id"),
            body=item["body"]["S"].encode(),
        )
    except KeyError as missing:
        raise UnreadableEventError(f"an event's item lacks {missing} or holds it as another type") from missing


def _read_text(item: Mapping[str, AttributeValueTypeDef], name: str) -> str | None:
    value = item.get(name)
    return None if value is None else value["S"]
