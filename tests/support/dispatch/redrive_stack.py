"""Data for a redrive in the table and on the failure queue, and its results."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from examhook.detection.transition import Change
from examhook.handlers.redrive import RedriveIncompleteError
from examhook.model import Submission
from examhook.storage.submissions import SubmissionsTable
from tests.support.dispatch.dispatch_stack import Stack, invoke
from tests.support.events.model_values import attempt, submission, transition
from tests.support.storage.tables import SUBMISSIONS

SAMPLE = Path(__file__).parents[3] / "events" / "redrive.json"
HOUR_S, DAY_S = 3600, 86_400


def store(stack: Stack, nth: int, ago_s: int = HOUR_S) -> str:
    """Store a submission of candidate ``nth`` whose one event was observed ``ago_s`` ago. Returns the event's id."""
    at = int(time.time()) - ago_s
    event_id = f"evt_{nth:032x}"
    one = submission(
        attempt=attempt(candidate_id=str(nth)),
        observed_at=at,
        transitions=(transition(event_id=event_id, observed_at=at),),
    )
    write(stack, one)
    return event_id


def write(stack: Stack, one: Submission) -> None:
    SubmissionsTable(stack.dynamodb, SUBMISSIONS).write([Change(before=None, after=one)])


def redrive(since: int, **wish: Any) -> dict[str, Any]:
    answer: dict[str, Any] = invoke({"redrive": {"since": since, **wish}})
    return answer


def failure(*bodies: str, sent_at: float | None = None) -> Any:
    """A batch of the failure queue: the sample, with other bodies if given."""
    event = json.loads(SAMPLE.read_text())
    (sample,) = event["Records"]
    sent = {**sample["attributes"], "SentTimestamp": str(int((sent_at or time.time()) * 1000))}
    event["Records"] = [
        {**sample, "messageId": f"{number}", "attributes": sent, "body": body}
        for number, body in enumerate(bodies or (sample["body"],))
    ]
    return event


def work_off(stack: Stack, *bodies: str) -> list[str]:
    """Process one batch of the failure queue; return the messages on the queue after it, returned ones first."""
    try:
        answer = invoke(failure(*bodies))
        again = [bodies[int(each["itemIdentifier"])] for each in answer["batchItemFailures"]]
    except RedriveIncompleteError:
        again = list(bodies)
    return [*again, *map(json.dumps, stack.received(stack.failure_url))]


def published(stack: Stack) -> list[str]:
    return sorted(each["id"] for each in stack.received(stack.everything_url))
