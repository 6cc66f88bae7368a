"""The tick queue: delayed messages that start the polls between two ticks of the schedule.

Only an invocation by the schedule sends these messages, so messages never trigger further messages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from examhook.detection.intervals import Tick

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BATCH_SIZE = 10
"""Maximum messages per request (SQS, ``SendMessageBatch``)."""


class TickQueue:
    """Schedules polls within the next minute."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, ticks: Sequence[Tick]) -> int:
        """Send a delayed message for each tick and return how many SQS rejected; raises botocore's errors."""
        rejected = 0
        for start in range(0, len(ticks), _BATCH_SIZE):
            response = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(tick.delay_s), "MessageBody": _body(tick), "DelaySeconds": tick.delay_s}
                    for tick in ticks[start : start + _BATCH_SIZE]
                ],
            )
            rejected += len(response.get("Failed", []))
        return rejected


def parse_expiry(body: str) -> float:
    """Time (Unix seconds) after which to ignore a message; raises ValueError for other messages."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"expires_at": int() | float() as expires_at}:
            return expires_at
    raise ValueError("The message on the tick queue is not a tick.")


def _body(tick: Tick) -> str:
    return json.dumps({"expires_at": tick.expires_at}, separators=(",", ":"))
