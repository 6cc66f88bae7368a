"""The Endpoints table: settings, filters and health of each webhook endpoint.

Operators choose the settings. Deliver and Retry record the health with conditional updates. If operators must learn of
a change, the same write stores a notice.

::

    EndpointExistsError    an endpoint with this id already exists; a retry does not help

Methods raise botocore's errors if DynamoDB fails; a retry helps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import (
    BodyFormat,
    ContentType,
    Endpoint,
    EndpointOrigin,
    EndpointStatus,
    Health,
    Notice,
    Privacy,
)
from examhook.events.catalogue import OperationsEventType
from examhook.storage.item_codec import (
    BINARY,
    FLAG,
    NUMBER,
    TEXT,
    VERSION,
    Attribute,
    ItemCodec,
    inline,
    list_of,
    member_of,
)
from examhook.storage.table import Table, if_condition_holds

if TYPE_CHECKING:
    from examhook.storage.item_codec import Attributes, Item

_TRUE = FLAG.value(content=True)
_EXISTS = "attribute_exists(endpoint_id)"
_APPEND_NOTICE = "notices = list_append(if_not_exists(notices, :no_notices), :notice)"


class EndpointExistsError(Exception):
    """An endpoint with this id already exists."""


def _notice_text(notice: Notice) -> str:
    facts = {
        "event_type": notice.event_type.value,
        "at": notice.at,
        "message": notice.message,
        "details": dict(notice.details),
    }
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _notice(text: str) -> Notice:
    facts = json.loads(text)
    return Notice(OperationsEventType(facts["event_type"]), facts["at"], facts["message"], facts["details"])


_NOTICE = Attribute("S", _notice_text, _notice)
_NOTICE_LIST = list_of(_NOTICE)
_TEXTS = list_of(TEXT).optional(())
_RATE_PER_SECOND = Attribute("N", "{:g}".format, float)
_FRACTIONAL_SECONDS = Attribute("N", "{:.3f}".format, float)
"""Unix seconds with a fraction."""

_HEALTH_CODEC = ItemCodec(
    Health,
    last_success_at=NUMBER.optional(),
    last_failure_at=NUMBER.optional(),
    failing_since=NUMBER.optional(),
    last_error=TEXT.optional(),
    consecutive_failures=NUMBER.sparse(0),
    draining=FLAG.sparse(default=False),
    probe_until=NUMBER.optional(),
    slowed_until=NUMBER.optional(),
    paced_until=_FRACTIONAL_SECONDS.optional(),
    warned_at=NUMBER.optional(),
    warned_since=NUMBER.optional(),
)
_ENDPOINT_CODEC = ItemCodec(
    Endpoint,
    endpoint_id=TEXT,
    url=TEXT,
    sealed_secret=BINARY,
    origin=member_of(EndpointOrigin),
    created_at=NUMBER,
    types=_TEXTS,
    exam_ids=_TEXTS,
    accounts=_TEXTS,
    description=TEXT,
    status=member_of(EndpointStatus),
    disabled_reason=TEXT.optional(),
    disabled_at=NUMBER.optional(),
    privacy=member_of(Privacy).optional(Privacy.FULL),
    body_format=member_of(BodyFormat).named("format").optional(BodyFormat.CLOUDEVENTS),
    content_type=member_of(ContentType).optional(ContentType.JSON),
    sealed_pseudonym_key=BINARY.optional(),
    header_names=_TEXTS,
    sealed_headers=BINARY.optional(),
    rate_per_second=_RATE_PER_SECOND.optional(),
    previous_sealed_secret=BINARY.optional(),
    previous_secret_until=NUMBER.optional(),
    health=inline(_HEALTH_CODEC),
    notices=_NOTICE_LIST.sparse(()),
)
_SETTINGS_ATTRIBUTES = (
    "url",
    "types",
    "exam_ids",
    "accounts",
    "description",
    "privacy",
    "format",
    "content_type",
    "sealed_pseudonym_key",
    "header_names",
    "sealed_headers",
    "rate_per_second",
)
"""Attributes that an operator chooses."""


def endpoint_from_item(item: Item) -> Endpoint:
    """Return the endpoint in an item."""
    return _ENDPOINT_CODEC.from_item(item)


class EndpointsTable(Table):
    """Reads and conditional writes of endpoints."""

    def get(self, endpoint_id: str) -> Endpoint | None:
        """Return one endpoint, as last written."""
        item = self._get_item(_key(endpoint_id))
        return None if item is None else endpoint_from_item(item)

    def list_all(self) -> list[Endpoint]:
        """Return every endpoint, enabled or not, oldest first."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table_name, ConsistentRead=True)
        found = [endpoint_from_item(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda endpoint: (endpoint.created_at, endpoint.endpoint_id))

    def add(self, endpoint: Endpoint) -> None:
        """Store a new endpoint; raises EndpointExistsError."""
        item = {"v": VERSION, **_ENDPOINT_CODEC.to_item(endpoint)}
        if not self._put_item(item, "attribute_not_exists(endpoint_id)"):
            raise EndpointExistsError(f"endpoint {endpoint.endpoint_id} already exists")

    def remove(self, endpoint_id: str) -> bool:
        """Remove an endpoint; return False if it does not exist."""
        removed = if_condition_holds(
            self._client.delete_item,
            TableName=self._table_name,
            Key=_key(endpoint_id),
            ConditionExpression="attribute_exists(endpoint_id)",
        )
        return removed is not None

    def write_settings(self, endpoint: Endpoint) -> bool:
        """Write only the attributes that an operator chooses; return False if the endpoint was removed."""
        item = _ENDPOINT_CODEC.to_item(endpoint)
        present = [name for name in _SETTINGS_ATTRIBUTES if name in item]
        absent = [f"#{name}" for name in _SETTINGS_ATTRIBUTES if name not in item]
        before = self._update(
            endpoint.endpoint_id,
            update="SET "
            + ", ".join(f"#{name} = :{name}" for name in present)
            + (f" REMOVE {', '.join(absent)}" if absent else ""),
            values={f":{name}": item[name] for name in present},
            names={f"#{name}": name for name in _SETTINGS_ATTRIBUTES},
        )
        return before is not None

    def replace_secret(self, seen: Endpoint, sealed_secret: bytes, previous_until: int | None) -> bool:
        """Replace the signing secret of ``seen``; the old secret remains valid until ``previous_until`` (Unix seconds).

        Returns False if the secret was replaced since ``seen`` was read, or if the endpoint was removed.
        """
        values = {":new": BINARY.value(sealed_secret), ":seen": BINARY.value(seen.sealed_secret)}
        update = "SET sealed_secret = :new"
        if previous_until is None:
            update += " REMOVE previous_sealed_secret, previous_secret_until"
        else:
            update += ", previous_sealed_secret = :seen, previous_secret_until = :until"
            values[":until"] = NUMBER.value(previous_until)
        before = self._update(seen.endpoint_id, update=update, condition="sealed_secret = :seen", values=values)
        return before is not None

    def enable(self, endpoint_id: str) -> bool:
        """Enable an endpoint and reset its failures; return False if it was already enabled or was removed.

        Its waiting deliveries are sent first.
        """
        before = self._update(
            endpoint_id,
            update=(
                "SET #status = :enabled, draining = :true REMOVE disabled_reason, disabled_at,"
                " failing_since, consecutive_failures, probe_until"
            ),
            condition="#status <> :enabled",
            values={":enabled": TEXT.value(EndpointStatus.ENABLED.value), ":true": _TRUE},
            names={"#status": "status"},
        )
        return before is not None

    def disable(
        self,
        endpoint_id: str,
        reason: str,
        at: int,
        notice: Notice | None = None,
        only_if_failing_since: int | None = None,
    ) -> Endpoint | None:
        """Disable an endpoint and store the reason; return the endpoint as it was before.

        Returns None, and writes nothing, if the endpoint was already disabled or removed, or if it accepted an event
        after ``only_if_failing_since`` (Unix seconds).
        """
        update = "SET #status = :disabled, disabled_reason = :reason, disabled_at = :at"
        condition = "#status <> :disabled"
        values = {
            ":disabled": TEXT.value(EndpointStatus.DISABLED.value),
            ":reason": TEXT.value(reason),
            ":at": NUMBER.value(at),
        }
        if notice is not None:
            update += f", {_APPEND_NOTICE}"
            values |= _appended(notice)
        if only_if_failing_since is not None:
            condition += " AND failing_since = :since"
            values[":since"] = NUMBER.value(only_if_failing_since)
        names = {"#status": "status"}
        return self._update(endpoint_id, update=update, condition=condition, values=values, names=names)

    def record_outcome(
        self, endpoint_id: str, at: int, error: str | None, slowed_until: int | None = None
    ) -> Endpoint | None:
        """Record the outcome of an attempt that ended at ``at``: ``error`` is a text, or None for a success.

        ``slowed_until`` is the end of a slowdown (Unix seconds).

        Returns the endpoint as it was before, so that exactly one caller sees its recovery; None if it was removed.
        """
        if error is None:
            return self._update(
                endpoint_id,
                update="SET last_success_at = :at REMOVE failing_since, consecutive_failures, probe_until",
                values={":at": NUMBER.value(at)},
            )
        update = (
            "SET last_failure_at = :at, last_error = :error, failing_since = if_not_exists(failing_since, :at),"
            " consecutive_failures = if_not_exists(consecutive_failures, :zero) + :one"
        )
        values = {
            ":at": NUMBER.value(at),
            ":error": TEXT.value(error),
            ":zero": NUMBER.value(0),
            ":one": NUMBER.value(1),
        }
        if slowed_until is not None:
            update += ", slowed_until = :slowed"
            values[":slowed"] = NUMBER.value(slowed_until)
        return self._update(endpoint_id, update=update, values=values)

    def claim_probe(self, endpoint_id: str, now: int, until: int) -> bool:
        """Claim the probe of an endpoint that is down, until ``until``; return False while another claim lasts."""
        before = self._update(
            endpoint_id,
            update="SET probe_until = :until",
            condition="(attribute_not_exists(probe_until) OR probe_until <= :now)",
            values={":until": NUMBER.value(until), ":now": NUMBER.value(now)},
        )
        return before is not None

    def take_rate_slot(self, seen: Endpoint, now: float, step_s: float, ahead_s: float) -> float | None:
        """Take the next rate slot of an endpoint, which lasts ``step_s``; return when it begins (Unix seconds).

        Returns None, and takes no slot, if all slots of the next ``ahead_s`` seconds are taken.
        """
        values = {":now": _FRACTIONAL_SECONDS.value(now)}
        if (seen.health.paced_until or 0) <= now:
            free = self._update(
                seen.endpoint_id,
                update="SET paced_until = :until",
                condition="(attribute_not_exists(paced_until) OR paced_until <= :now)",
                values={**values, ":until": _FRACTIONAL_SECONDS.value(now + step_s)},
            )
            if free is not None:
                return now
        behind = self._update(
            seen.endpoint_id,
            update="SET paced_until = paced_until + :step",
            condition="paced_until > :now AND paced_until <= :most",
            values={
                **values,
                ":step": _FRACTIONAL_SECONDS.value(step_s),
                ":most": _FRACTIONAL_SECONDS.value(now + ahead_s),
            },
        )
        return None if behind is None else behind.health.paced_until

    def set_draining(self, endpoint_id: str, *, draining: bool) -> None:
        """Record whether Retry is still enqueuing the deliveries that waited for a recovered endpoint."""
        update = "SET draining = :true" if draining else "REMOVE draining"
        self._update(endpoint_id, update=update, values={":true": _TRUE} if draining else {})

    def warn(self, seen: Endpoint, at: int, notice: Notice) -> Endpoint | None:
        """Record a warning about the failures in ``seen``, with its notice; return None if ``seen`` is out of date."""
        health = seen.health
        warned = "attribute_not_exists(warned_at)" if health.warned_at is None else "warned_at = :warned_at"
        values = {":at": NUMBER.value(at), ":since": NUMBER.value(health.failing_since or 0), **_appended(notice)}
        if health.warned_at is not None:
            values[":warned_at"] = NUMBER.value(health.warned_at)
        return self._update(
            seen.endpoint_id,
            update=f"SET warned_at = :at, warned_since = :since, {_APPEND_NOTICE}",
            condition=f"failing_since = :since AND {warned}",
            values=values,
        )

    def end_warning(self, seen: Endpoint, notice: Notice) -> Endpoint | None:
        """Record that the failures of the last warning ended, with a notice; return None if ``seen`` is out of date."""
        return self._update(
            seen.endpoint_id,
            update=f"SET {_APPEND_NOTICE} REMOVE warned_at, warned_since",
            condition="warned_since = :since",
            values={":since": NUMBER.value(seen.health.warned_since or 0), **_appended(notice)},
        )

    def drop_notices(self, endpoint_id: str, published: tuple[Notice, ...]) -> None:
        """Remove published notices, which are the oldest; do nothing if another process removed them."""
        if published:
            self._update(
                endpoint_id,
                update="REMOVE " + ", ".join(f"notices[{position}]" for position in range(len(published))),
                condition="notices[0] = :first",
                values={":first": _NOTICE.value(published[0])},
            )

    def _update(
        self,
        endpoint_id: str,
        *,
        update: str,
        condition: str | None = None,
        values: Attributes,
        names: Mapping[str, str] | None = None,
    ) -> Endpoint | None:
        """Update an endpoint and return its previous state; None if the condition did not hold or it was removed."""
        before = self._update_item(
            _key(endpoint_id),
            update,
            _EXISTS if condition is None else f"{_EXISTS} AND {condition}",
            values,
            names=names,
            returned="ALL_OLD",
        )
        return None if before is None else endpoint_from_item(before)


def _appended(notice: Notice) -> Attributes:
    return {":no_notices": _NOTICE_LIST.value(()), ":notice": _NOTICE_LIST.value((notice,))}


def _key(endpoint_id: str) -> Attributes:
    return {"endpoint_id": TEXT.value(endpoint_id)}
