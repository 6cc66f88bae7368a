"""What came: events as receivers got them, turned into the facts that are compared."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from examhook_cli.demo.reconciliation import Fact, exam_fact, score_text
from examhook_cli.listener.server import Received


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as a receiver got it."""

    event_id: str
    fact: Fact
    verified: bool
    """Whether its signature was good; a message from a queue has none and counts as verified."""


def arrival_of(body: bytes, *, verified: bool = True) -> Arrival:
    """The event in ``body``; raises ValueError or KeyError for anything else."""
    event = json.loads(body)
    data = event["data"]
    if str(event["type"]).startswith("exam."):
        return Arrival(event["id"], exam_fact(data["exam"]["id"], event["type"]), verified)
    submission = data["submission"]
    fact = Fact(
        exam_id=data["exam"]["id"],
        candidate_id=data["candidate"]["id"],
        started_at=int(datetime.fromisoformat(submission["started_at"]).timestamp()),
        event_type=event["type"],
        score=score_text(submission["score"]),
    )
    return Arrival(event["id"], fact, verified)


def accepted(received: Iterable[Received]) -> list[Arrival]:
    """What a webhook receiver took: an attempt that it answered with an error does not count as received."""
    return [
        arrival_of(each.body, verified=each.verified)
        for each in received
        if 200 <= each.answered < 300 or not each.verified  # noqa: PLR2004 - the range of success
    ]
