"""The queue of the polls between two ticks of the schedule: a delayed message for each.

A message says only until when it counts. Poll sends messages at a tick of the schedule and never for a message, so
the chain of invocations has one link.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from examhook.destinations.batches import batches
from examhook.detection.intervals import Tick

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MOST, _MOST_BYTES = 10, 1_048_576
"""What SQS takes in one request."""


def expiry_in(body: str) -> float:
    """Until when a message counts, Unix seconds; raises ValueError for what is no tick."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"expires_at": int() | float() as expires_at}:
            return expires_at
    raise ValueError("The message on the queue of ticks is no tick.")


class TickQueue:
    """Starts polls a little later."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, ticks: Sequence[Tick]) -> int:
        """Send a message for each tick; how many SQS refused. Raises botocore's errors."""
        refused = 0
        for batch in batches(ticks, lambda tick: len(_body(tick)), _MOST, _MOST_BYTES):
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(tick.delay_s), "MessageBody": _body(tick), "DelaySeconds": tick.delay_s}
                    for tick in batch
                ],
            )
            refused += len(answer.get("Failed", []))
        return refused


def _body(tick: Tick) -> str:
    return json.dumps({"expires_at": tick.expires_at}, separators=(",", ":"))
