"""The failure queue of Dispatch: messages that start a redrive of the submissions table or a part of it.

Messages come from three senders:

- The DynamoDB stream sends one for each batch that it gave up on. Its stream positions are unusable once the stream
  records expire, so the redrive covers all events of the time before the message.
- A redrive that runs out of time sends one for the rest of its part, and one for the processed part if that had errors.
- Poll sends one, with the time of the first unsent event, if the stream delivers nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CLOCK_MARGIN_S = 24 * 3600
"""Maximum error of the provider's clock, which sets the times of events."""
LOOK_BACK_S = 24 * 3600 + CLOCK_MARGIN_S
"""Maximum age of the events in a failed batch: the stream gives up after one day, plus CLOCK_MARGIN_S."""


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """The events to redrive."""

    since: int
    """Earliest event time, Unix seconds."""
    start_key: Mapping[str, str] | None = None
    """Key (``pk``, ``sk``) after which to start; None for the start of the table."""
    end_key: Mapping[str, str] | None = None
    """Key of the last item to read; None for the end of the table."""


class RedriveQueue:
    """Sends redrive requests."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, request: RedriveRequest) -> None:
        """Request a redrive; raises botocore's errors."""
        keys = {"place": request.start_key, "until": request.end_key}
        values = {"since": request.since, **{name: dict(key) for name, key in keys.items() if key is not None}}
        body = json.dumps({"redrive": values}, separators=(",", ":"))
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)


def parse_redrive(body: str, sent_at: int) -> RedriveRequest:
    """The request in a message.

    A message that is not from RedriveQueue requests a redrive of all events of the LOOK_BACK_S before ``sent_at`` (Unix
    seconds).
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"redrive": {"since": int(since), **keys}}:
            start_key, end_key = (_parse_key(keys.get(name)) for name in ("place", "until"))
            if not keys or start_key or end_key:
                return RedriveRequest(since, start_key, end_key)
    return RedriveRequest(sent_at - LOOK_BACK_S)


def _parse_key(value: object) -> Mapping[str, str] | None:
    match value:
        case {"pk": str(pk), "sk": str(sk)}:
            return {"pk": pk, "sk": sk}
        case _:
            return None
