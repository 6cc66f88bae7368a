"""The queue of what Dispatch could not process: what came onto it, and where a long redrive goes on.

The stream puts a message there for each batch that it gave up on (its positions in the stream, which
are of no use once the stream has forgotten them); a redrive that ran out of time puts one there that
says where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LOOK_BACK_S = 48 * 3600
"""A batch is given up at most a day after its writes, and the provider's clock may be wrong by hours: so far back,
counted from when the message was sent, lie the times of its events."""


@dataclass(frozen=True, slots=True)
class RedriveOrder:
    """What is to be redriven."""

    since: int
    """Events noticed since then, Unix seconds."""
    place: Mapping[str, str] | None = None
    """Where in the table to go on (``pk``, ``sk``); None for its beginning."""


def order_of(body: str, sent_at: int) -> RedriveOrder:
    """What a message asks for; one of the stream's own, sent at ``sent_at`` (Unix seconds), for all around then."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"redrive": {"since": int(since), "place": {"pk": str(pk), "sk": str(sk)}}}:
            return RedriveOrder(since, {"pk": pk, "sk": sk})
        case _:
            return RedriveOrder(sent_at - LOOK_BACK_S)


class RedriveQueue:
    """Takes orders to go on."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def go_on(self, order: RedriveOrder) -> None:
        """Have a redrive go on at ``order.place``; raises botocore's errors."""
        place = dict(order.place or {})
        body = json.dumps({"redrive": {"since": order.since, "place": place}}, separators=(",", ":"))
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
