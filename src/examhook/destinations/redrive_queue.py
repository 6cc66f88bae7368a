"""The queue of what Dispatch could not process: what came onto it, and where a long redrive goes on.

The stream puts a message there for each batch that it gave up on (its positions in the stream, which
are of no use once the stream has forgotten them); a redrive that ran out of time puts one there that
says where to go on, and another for the part that it went through if something there failed; and Poll
one that says since when, where the stream brings nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CLOCK_MARGIN_S = 24 * 3600
"""The provider's clock, by which events are noticed, may be wrong by so much."""
LOOK_BACK_S = 24 * 3600 + CLOCK_MARGIN_S
"""A batch is given up at most a day after its writes: so far back, counted from when the message was sent, lie the
times of its events."""


@dataclass(frozen=True, slots=True)
class RedriveOrder:
    """What is to be redriven."""

    since: int
    """Events noticed since then, Unix seconds."""
    place: Mapping[str, str] | None = None
    """Where in the table to go on (``pk``, ``sk``); None for its beginning."""
    until: Mapping[str, str] | None = None
    """The last item to look at (``pk``, ``sk``); None for the table's end."""


def order_of(body: str, sent_at: int) -> RedriveOrder:
    """What a message asks for; one of the stream's own, sent at ``sent_at`` (Unix seconds), for all around then."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"redrive": {"since": int(since), **bounds}}:
            place, until = (_key_in(bounds.get(name)) for name in ("place", "until"))
            if not bounds or place or until:
                return RedriveOrder(since, place, until)
    return RedriveOrder(sent_at - LOOK_BACK_S)


def _key_in(value: object) -> Mapping[str, str] | None:
    match value:
        case {"pk": str(pk), "sk": str(sk)}:
            return {"pk": pk, "sk": sk}
        case _:
            return None


class RedriveQueue:
    """Takes orders for parts of the table."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, order: RedriveOrder) -> None:
        """Have the table redriven, or a part of it; raises botocore's errors."""
        bounds = {"place": order.place, "until": order.until}
        facts = {"since": order.since, **{name: dict(key) for name, key in bounds.items() if key is not None}}
        body = json.dumps({"redrive": facts}, separators=(",", ":"))
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
