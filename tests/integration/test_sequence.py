"""Whatever fails, repeats and races on the way: a receiver that reads as the README says ends with the truth.

Random histories of attempts go through Dispatch, which dies and repeats, and Deliver, whose messages come doubled, late
and out of order, to an endpoint that fails now and then; some events are replayed at the end. What receives them is the
README's own snippet.
"""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import DeliveryStatus, SendOutcome, SendResult
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.detection.transition import Observation, change_from, change_from_absence
from examhook.model import Attempt, Submission
from examhook.storage.submissions import item_from_submission
from examhook.workflows.administration.endpoint_changes import EndpointChanges
from examhook.workflows.administration.endpoints import add_endpoint
from examhook.workflows.administration.replay import Replay
from examhook.workflows.delivering.deliver import DeliverWebhooks
from examhook.workflows.dispatching.dispatch import Dispatch
from tests.support.delivery.delivery_stack import World, delivery_world
from tests.support.dispatch.dispatch_stack import Dying, Killed
from tests.support.events.model_values import STARTED_AT, exam

SNIPPET = Path(__file__).parents[2] / "docs" / "examples" / "verify.py"
STEPS = [("events", "add"), ("deliveries", "create"), ("queue", "send"), ("events", "mark_dispatched")]
MOST_FAILURES = 3
MOST_ROUNDS = 300
"""So often at most messages come before what they speak of must have arrived; a crashed attempt is due again later."""
EXAM_IDS = count(1)
"""Each history is of an exam of its own: the tables keep what they were given."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("EXAMHOOK_SECRET", "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0LW9ubHkh")
    with delivery_world() as made:
        yield made


class Nobody:
    """A topic without subscribers."""

    def publish_submission_events(self, topic_arn: str, events: Sequence[object]) -> None:
        """Takes everything."""


@dataclass
class Receiver:
    """A sender and its receiver in one: the snippet, behind a network that fails before or after it took an event."""

    snippet: ModuleType
    rng: random.Random
    failures: dict[str, int] = field(default_factory=dict)
    came: list[dict[str, Any]] = field(default_factory=list)
    news: list[dict[str, Any]] = field(default_factory=list)

    def send(self, _url: str, body: bytes, headers: Mapping[str, str], _deadline_s: float) -> SendResult:
        """Instead of a socket."""
        event = json.loads(body)
        assert headers["webhook-id"] == event["id"]
        fails = self.failures.get(event["id"], 0) < MOST_FAILURES and self.rng.random() < 0.4
        lost = fails and self.rng.random() < 0.5
        if not lost:
            self.came.append(event)
            if self.snippet.is_news(event):
                self.news.append(event)
            self._check_what_is_missing()
        if fails:
            self.failures[event["id"]] = self.failures.get(event["id"], 0) + 1
            return SendResult(SendOutcome.TIMED_OUT, None, 1)
        return SendResult(SendOutcome.ANSWERED, 204, 1)

    def _check_what_is_missing(self) -> None:
        """Exactly those that are named by what came and did not come themselves."""
        came = {event["id"] for event in self.came}
        assert self.snippet.missing == {event["previousid"] for event in self.came if "previousid" in event} - came


def fresh_snippet() -> ModuleType:
    """The README's receiver, knowing nothing."""
    spec = importlib.util.spec_from_file_location("verify_snippet", SNIPPET)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.GETS_STARTED = True  # type: ignore[attr-defined]
    return module


def history(candidate: int, statuses: Sequence[int | None], exam_id: str) -> list[dict[str, Any]]:
    """The stream's records of one attempt that is seen in these statuses, one after the other; None: gone."""
    stored: Submission | None = None
    records: list[dict[str, Any]] = []
    for nth, status in enumerate(statuses):
        at = STARTED_AT + 3600 * (nth + 1)
        seen_by = Observation("main", exam(exam_id=exam_id), observed_at=at, fence=1)
        changes = []
        if status is not None:
            row = Attempt(str(candidate), STARTED_AT, status, "Mei Chen", ended_at=at - 60 if status else None)
            changes.append(change_from(stored, row, seen_by))
        elif stored is not None:
            noted = change_from_absence(stored, seen_by)
            changes.append(noted)
            if noted is not None:
                changes.append(change_from_absence(noted.after, replace(seen_by, observed_at=at + 1)))
        for change in changes:
            if change is None:
                continue
            old = {} if stored is None else {"OldImage": item_from_submission(stored)}
            stored = change.after
            place = {"pk": {"S": exam_id}, "sk": {"S": str(candidate)}}
            body = {"SequenceNumber": "", "Keys": place, "NewImage": item_from_submission(stored), **old}
            records.append({"eventName": "MODIFY" if old else "INSERT", "dynamodb": body})
    return records


def told_by(records: Sequence[Mapping[str, Any]]) -> set[str]:
    """The ids of the events that these records bring; that a row may be gone is noted without one."""
    ids: set[str] = set()
    for record in records:
        new, old = (record["dynamodb"].get(name, {"transitions": {"L": []}}) for name in ("NewImage", "OldImage"))
        known = {each["M"]["event_id"]["S"] for each in old["transitions"]["L"]}
        ids |= {each["M"]["event_id"]["S"] for each in new["transitions"]["L"]} - known
    return ids


def dispatch_all(dispatch: Dispatch, records: list[Any], rng: random.Random) -> None:
    """In batches of any size, each of which may come twice, at once, and after a process that died in it."""
    while records:
        size = rng.randint(1, len(records))
        batch, records = records[:size], records[size:]
        if told_by(batch) and rng.random() < 0.5:
            part, method = rng.choice(STEPS)
            dying = Dying(getattr(dispatch, part), method, after=rng.random() < 0.5)
            with pytest.raises(Killed):
                replace(dispatch, **{part: dying}).run(batch)  # type: ignore[arg-type] # a stand-in
        times = rng.choice([1, 2])
        with ThreadPoolExecutor(times) as pool:
            reports = list(pool.map(dispatch.run, [batch] * times))
        assert [report.failed for report in reports] == [0] * times


def deliver_all(world: World, deliver: DeliverWebhooks, endpoint_id: str, rng: random.Random) -> None:
    """Every message, shuffled and doubled, by four at once, and what is left again, until all has arrived."""
    messages = [message for message, _ in world.enqueued()]
    for _ in range(MOST_ROUNDS):
        rng.shuffle(messages)
        doubled = [message for message in messages for _ in range(rng.choice([1, 2]))]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(deliver.process, doubled))
        world.enqueued()
        world.clock.at += 1
        every = world.deliveries.list_for(endpoint_id)
        left = [each for each in every if each.status is not DeliveryStatus.DELIVERED]
        if not left:
            return
        messages = [DeliveryMessage(each.endpoint_id, each.event_id, each.attempts + 1, probe=True) for each in left]
    raise AssertionError(f"{left} never arrive")


def endpoint_of(world: World) -> Endpoint:
    changes = EndpointChanges(types=("submission.*",))
    made, _ = add_endpoint("https://receiver.test/", world.endpoints, world.key, world.clock.now, changes=changes)
    return made


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    histories=st.lists(
        st.lists(st.sampled_from([0, 1, 2, 3, 4, 7, None]), min_size=1, max_size=5), min_size=1, max_size=3
    ),
    seed=st.integers(0, 2**32),
)
def test_revision_and_previousid_lead_a_receiver_to_the_truth(
    world: World, histories: list[list[int | None]], seed: int
) -> None:
    rng = random.Random(seed)
    for old in world.endpoints.list_all():
        world.endpoints.remove(old.endpoint_id)
    endpoint, exam_id = endpoint_of(world), str(next(EXAM_IDS))
    records = [record for nth, statuses in enumerate(histories) for record in history(nth, statuses, exam_id)]
    for nth, record in enumerate(records):
        record["dynamodb"]["SequenceNumber"] = str(nth)
    dispatch = Dispatch(
        world.events,
        world.deliveries,
        world.queue,
        Nobody(),  # type: ignore[arg-type] # a stand-in
        "topic",
        lambda: [endpoint],
        30,
        world.clock.now,
    )
    receiver = Receiver(fresh_snippet(), rng)
    deliver = world.deliver_by(receiver)  # type: ignore[arg-type] # a stand-in
    world.enqueued()
    dispatch_all(dispatch, records, rng)
    deliver_all(world, deliver, endpoint.endpoint_id, rng)
    announced = {event["id"]: event for event in receiver.came}
    replay = Replay(world.deliveries, world.queue, world.clock.now, 30)
    again = [found for each in sorted(announced) if (found := world.events.get(each)) and rng.random() < 0.5]
    list(replay.send_again(iter(again), [endpoint], undelivered_only=False))
    deliver_all(world, deliver, endpoint.endpoint_id, rng)

    assert announced.keys() == told_by(records)
    assert {json.dumps(event) for event in receiver.came} == {json.dumps(event) for event in announced.values()}
    assert receiver.snippet.missing == set()
    for subject in {event["subject"] for event in announced.values()}:
        chain = sorted(
            (e for e in announced.values() if e["subject"] == subject), key=lambda e: int(str(e["revision"]))
        )
        assert [event["revision"] for event in chain] == list(range(1, len(chain) + 1))
        assert [event.get("previousid") for event in chain] == [None, *(event["id"] for event in chain[:-1])]
        taken = [event for event in receiver.news if event["subject"] == subject]
        assert [event["revision"] for event in taken] == sorted({event["revision"] for event in taken})
        assert taken[-1] == chain[-1]
