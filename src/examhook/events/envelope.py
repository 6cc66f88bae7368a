"""What every event has around its data: a CloudEvent whose JSON is a Standard Webhooks payload too.

Sources: CloudEvents 1.0.2 and its JSON format; Standard Webhooks 1.0.0 ("Payload structure": ``type``, ``timestamp``,
``data``). ``revision`` and ``previousid`` are extensions of our own, since the extension ``sequence`` of CloudEvents
orders all events of one ``source``, which is the exam here.

Errors::

    ValueError
    └── UnwritableInstantError    trying again does not help
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

ROOT = "/examhook"
"""What every source begins with."""

_LAST_INSTANT = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


class UnwritableInstantError(ValueError):
    """An instant lies outside 1970 to 9999, which is what RFC 3339 and common sense can write."""


def instant(at: int) -> str:
    """Unix seconds as RFC 3339 in UTC, ``2026-05-03T14:02:00Z``; raises UnwritableInstantError."""
    if not 0 <= at <= _LAST_INSTANT:
        raise UnwritableInstantError(f"{at} is no time in Unix seconds between 1970 and 9999")
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(*parts: str) -> str:
    """``a/b/c`` with each part percent-encoded, so that no part can forge another."""
    return "/".join(quote(part, safe="", errors="replace") for part in parts)


def exam_source(account: str, exam_id: str) -> str:
    """``source`` of every event about an exam or an attempt at it."""
    return f"{ROOT}/{path_of(account, 'exams', exam_id)}"


def enveloped(  # noqa: PLR0913 - the attributes of a CloudEvent
    data: Mapping[str, object],
    *,
    event_id: str,
    event_type: str,
    source: str,
    subject: str | None,
    at: int,
    revision: int | None = None,
    previous_id: str | None = None,
) -> bytes:
    """The exact bytes of an event: compact JSON in UTF-8, keys always in the same order.

    ``at`` is Unix seconds. Attributes that are None are left out, as CloudEvents has it. Raises
    UnwritableInstantError.
    """
    time = instant(at)
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "timestamp": time,
        "revision": revision,
        "previousid": previous_id,
    }
    return compact({name: value for name, value in attributes.items() if value is not None} | {"data": data})


def compact(body: Mapping[str, object]) -> bytes:
    """An event as it is sent: JSON without spaces, keys as they stand, in UTF-8."""
    # A lone surrogate, which JSON can carry and UTF-8 cannot, becomes a question mark.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(errors="replace")
