"""The Events table: each event, byte for byte as it was sent, and its newest result link.

The index ``by_day`` orders events by the time at which a poll observed them. A listing since a time therefore includes
events that happened earlier and were observed later.

A fresh result link is stored with the event, whose body never changes::

    link_url, link_expires_at    the newest link
    link_requested_at            when Deliver last requested one (Unix seconds)
    link_requested_for           the account; present until a poll answers the request

The last two are the key of the sparse index ``link_requests``, so a poll finds open requests with one query. A request
ends when its event is erased or expires.

Methods raise botocore's errors if DynamoDB fails (a retry helps), and UnreadableItemError for an item that another
version wrote (a retry does not help).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import matches
from examhook.delivery.link_renewal import LinkRequest
from examhook.events.build import Event
from examhook.events.encoding import instant
from examhook.events.result_link import ResultLink
from examhook.storage.item_codec import NUMBER, TEXT, Attribute, ItemCodec, UnreadableItemError, VersionedItemCodec
from examhook.storage.table import Table

if TYPE_CHECKING:
    from examhook.storage.item_codec import Attributes, Item

LINK_REQUEST_INDEX = "link_requests"
_MAX_RETENTION_DAYS = 365
"""Maximum retention of events (template.yaml, ``RetentionDays``), and therefore the maximum range of a listing."""
AHEAD_DAYS = 3
"""Days by which a listing extends beyond today, because the provider's clock may be ahead of ours."""

_DAY_INDEX = "by_day"
_AFTER_ANY_ID = "\uffff"
_BATCH_GET_KEYS = 100
"""Maximum number of keys in one BatchGetItem."""
_PARALLEL_BATCH_GETS = 8

_EVENT_CODEC = VersionedItemCodec(
    Event,
    "an event's item",
    event_id=TEXT,
    event_type=TEXT,
    account=TEXT.optional(),
    exam_id=TEXT.optional(),
    status=TEXT.optional(),
    occurred_at=NUMBER,
    observed_at=NUMBER,
    sequence=NUMBER.optional(),
    previous_id=TEXT.optional(),
    # Stored as text, so that operators can read it in the console. UTF-8 preserves every byte.
    body=Attribute("S", bytes.decode, str.encode),
)
_LINK_CODEC = ItemCodec(ResultLink, url=TEXT.named("link_url"), expires_at=NUMBER.named("link_expires_at"))


@dataclass(frozen=True, slots=True)
class DispatchProgress:
    """The steps of Dispatch that an event has passed."""

    event: Event | None = None
    """The stored event; None if it is not stored or needs no further step."""
    is_published: bool = False
    """Whether SNS accepted it and another destination did not."""
    is_dispatched: bool = False
    """Whether every destination accepted it."""


@dataclass(frozen=True, slots=True)
class LinkedEvent:
    """An event, its newest result link, and the last request for a link."""

    event: Event
    renewed: ResultLink | None = None
    request: LinkRequest | None = None


class EventsTable(Table):
    """Reads and conditional writes of events."""

    def add(self, event: Event, expires_at: int) -> bool:
        """Store an event until ``expires_at`` (Unix seconds); return False if its id already exists."""
        return self._put_item(_item_from_event(event, expires_at), "attribute_not_exists(event_id)")

    def get(self, event_id: str) -> Event | None:
        """Return one event, as last written; None if it does not exist, expired or was erased."""
        item = self._get_item(_key(event_id))
        return None if item is None or is_erased(item) else _EVENT_CODEC.from_item(item)

    def dispatch_progress(self, event_id: str) -> DispatchProgress:
        """Return the steps of Dispatch that an event has passed, as last written."""
        item = self._get_item(_key(event_id))
        if item is None:
            return DispatchProgress()
        is_dispatched = "dispatched_at" in item
        return DispatchProgress(
            None if is_dispatched else _EVENT_CODEC.from_item(item), "published_at" in item, is_dispatched
        )

    def is_dispatched(self, event_id: str) -> bool:
        """Whether every destination accepted the event."""
        item = self._get_item(_key(event_id))
        return item is not None and "dispatched_at" in item

    def mark_published(self, event_id: str, at: int) -> None:
        """Record that SNS accepted the event and another destination did not; keep an earlier mark."""
        self._mark(event_id, "published_at", at)

    def mark_dispatched(self, event_id: str, at: int) -> None:
        """Record that every destination accepted the event; keep an earlier mark."""
        self._mark(event_id, "dispatched_at", at)

    def _mark(self, event_id: str, name: str, at: int) -> None:
        # An item with only a mark would never expire, so do not create one for an event that expired meanwhile.
        self._update_item(
            _key(event_id),
            "SET #mark = if_not_exists(#mark, :at)",
            "attribute_exists(event_id)",
            {":at": NUMBER.value(at)},
            names={"#mark": name},
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
        """Return the newest ``limit`` events observed from ``since`` to ``until`` (Unix seconds, inclusive).

        ``until`` is now or earlier; the listing also covers ``ahead_days`` after it. The listing goes
        back at most as far as the maximum retention. ``exam_id`` and ``types`` (names, or patterns such as
        ``submission.*``) are optional filters. The newest writes may be missing.
        """
        found = self._in_index(since, until, ahead_days, forward=False)
        return list(islice(self._selected(found, exam_id, types), limit))

    def oldest_first(
        self, since: int, until: int, exam_id: str | None = None, types: Sequence[str] = (), *, ahead_days: int = 0
    ) -> Iterator[Event]:
        """Yield every event that ``list_events`` would return without a limit, oldest first."""
        return self._selected(self._in_index(since, until, ahead_days, forward=True), exam_id, types)

    @staticmethod
    def _selected(found: Iterator[Event], exam_id: str | None, types: Sequence[str]) -> Iterator[Event]:
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
                IndexName=_DAY_INDEX,
                KeyConditionExpression="#day = :day AND listed_at BETWEEN :since AND :until",
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues={
                    ":day": TEXT.value(day.isoformat()),
                    ":since": TEXT.value(instant(since)),
                    ":until": TEXT.value(f"{instant(latest)}#{_AFTER_ANY_ID}"),
                },
                ScanIndexForward=forward,
            ):
                yield from map(_EVENT_CODEC.from_item, page["Items"])


class DispatchedEvents(Table):
    """Finds dispatched events; expired events count as not dispatched."""

    def among(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Return the ids of those events that every destination accepted."""
        distinct = sorted(set(event_ids))
        chunks = [distinct[start : start + _BATCH_GET_KEYS] for start in range(0, len(distinct), _BATCH_GET_KEYS)]
        if len(chunks) <= 1:
            return frozenset(each for chunk in chunks for each in self._marked(chunk))
        with ThreadPoolExecutor(_PARALLEL_BATCH_GETS) as pool:
            return frozenset(each for marked in pool.map(self._marked, chunks) for each in marked)

    def _marked(self, event_ids: Sequence[str]) -> list[str]:
        keys = [_key(each) for each in event_ids]
        marked: list[str] = []
        while keys:
            answer = self._client.batch_get_item(
                RequestItems={
                    self._table_name: {
                        "Keys": keys,
                        "ProjectionExpression": "event_id, dispatched_at",
                        "ConsistentRead": True,
                    }
                }
            )
            found = answer["Responses"].get(self._table_name, [])
            marked += [item["event_id"]["S"] for item in found if "dispatched_at" in item]
            # A response is partial if it exceeds 16 MiB or the table is throttled; both are rare.
            left = answer["UnprocessedKeys"].get(self._table_name)
            keys = [dict(key) for key in left["Keys"]] if left else []
        return marked


class EventLinks(Table):
    """Reads events with their result links, and writes links and requests for links."""

    def get(self, event_id: str) -> LinkedEvent | None:
        """Return an event with its newest link, as last written; None if it does not exist, expired or was erased."""
        return linked_event_from_item(self._get_item(_key(event_id)))

    def request(self, event: Event, now: int, repeat_before: int) -> None:
        """Request a link at ``now``, unless one was requested after ``repeat_before`` (Unix seconds)."""
        self._update(
            event,
            "SET link_requested_for = :account, link_requested_at = :now",
            "attribute_exists(event_id) AND (attribute_not_exists(link_requested_at) OR link_requested_at <= :before)",
            {":now": NUMBER.value(now), ":before": NUMBER.value(repeat_before)},
        )

    def requested(self, account: str, since: int, limit: int) -> list[Event]:
        """Return up to ``limit`` events with an open request made at ``since`` (Unix seconds) or later, oldest first.

        The index may lag behind the table, so a request may already be answered.
        """
        answer = self._client.query(
            TableName=self._table_name,
            IndexName=LINK_REQUEST_INDEX,
            KeyConditionExpression="link_requested_for = :account AND link_requested_at >= :since",
            ExpressionAttributeValues={":account": TEXT.value(account), ":since": NUMBER.value(since)},
            Limit=limit,
        )
        found: list[Event] = []
        for item in answer["Items"]:
            # Another version wrote the event, or it was erased. Its request expires.
            with suppress(UnreadableItemError):
                found.append(_EVENT_CODEC.from_item(item))
        return found

    def answer(self, event: Event, link: ResultLink) -> None:
        """Store the requested link; do nothing if the request was closed or the event was erased."""
        self._update(
            event,
            "SET link_url = :url, link_expires_at = :expires REMOVE link_requested_for",
            "link_requested_for = :account AND attribute_not_exists(erased_for)",
            {":url": TEXT.value(link.url), ":expires": NUMBER.value(link.expires_at)},
        )

    def close(self, event: Event) -> None:
        """Close the request without a link."""
        self._update(event, "REMOVE link_requested_for", "link_requested_for = :account", {})

    def _update(self, event: Event, update: str, condition: str, values: Attributes) -> None:
        values = {":account": TEXT.value(event.account or ""), **values}
        self._update_item(_key(event.event_id), update, condition, values)


def linked_event_from_item(item: Item | None) -> LinkedEvent | None:
    """Return the event in an item, with its newest link; None if there is none. Raises UnreadableItemError."""
    if item is None or is_erased(item):
        return None
    request = None
    if "link_requested_at" in item:
        request = LinkRequest(int(item["link_requested_at"]["N"]), is_open="link_requested_for" in item)
    renewed = _LINK_CODEC.from_item(item) if "link_url" in item else None
    return LinkedEvent(_EVENT_CODEC.from_item(item), renewed, request)


def is_erased(item: Item) -> bool:
    """Whether the event was erased and only its id remains (``erasure``)."""
    return "erased_for" in item


def _days_back(since: int, until: int, ahead_days: int) -> Iterator[date]:
    first, day = (datetime.fromtimestamp(at, UTC).date() for at in (since, until))
    first = max(first, day - timedelta(days=_MAX_RETENTION_DAYS))
    day += timedelta(days=ahead_days)
    while day >= first:
        yield day
        day -= timedelta(days=1)


def _item_from_event(event: Event, expires_at: int) -> Attributes:
    listed_at = instant(event.observed_at)
    return {
        **_EVENT_CODEC.to_item(event),
        "day": TEXT.value(listed_at[:10]),
        "listed_at": TEXT.value(f"{listed_at}#{event.event_id}"),
        "expires_at": NUMBER.value(expires_at),
    }


def _key(event_id: str) -> Attributes:
    return {"event_id": TEXT.value(event_id)}
