"""``examhook erase``: everything about one candidate goes, nothing else does, and nothing of it goes out after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from examhook.delivery.record import AttemptRecord, DeliveryStatus, SendOutcome, new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.detection.exam_state import ExamState
from examhook.detection.exam_transition import ExamChange
from examhook.detection.transition import Change
from examhook.events.build import Event, submission_event
from examhook.events.identity import submission_event_id
from examhook.events.result_link import ResultLink
from examhook.model import AttemptKey, Submission
from examhook.storage.erasure import CandidateDeliveries, CandidateEvents, CandidateSubmissions
from examhook.storage.exams import AccountRecord, ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable, is_exam
from examhook.workflows.delivering import deliver as deliver_workflow
from examhook.workflows.delivering.report import MessageOutcome
from examhook.workflows.delivering.webhook_request import request_for
from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack
from tests.support.delivery.delivery_stack import MONTH_S, REGION, World
from tests.support.delivery.scripted_server import answer, scripted_server
from tests.support.events.model_values import STARTED_AT, attempt, exam, submission, transition
from tests.support.storage.tables import DELIVERIES, EVENTS, EXAMS, SUBMISSIONS

GONE, NAME = "424242", "Zebediah Quillfeather"
TABLES = (SUBMISSIONS, EXAMS, EVENTS, DELIVERIES)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with installed_stack(monkeypatch) as stack:
        assert isinstance(stack, InstalledStack)
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        ExamsTable(dynamodb, EXAMS).write("main", AccountRecord(watch_started_at=STARTED_AT), fence=0)
        running = (AttemptKey(STARTED_AT, GONE), AttemptKey(STARTED_AT, "7"))
        state = ExamState("main", exam(), running=running, running_count=2, version=1)
        assert ExamStates(dynamodb, SUBMISSIONS).write([ExamChange(None, state)]) == []
        yield stack.world


def everything() -> list[dict[str, Any]]:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    return [item for table in TABLES for item in dynamodb.scan(TableName=table)["Items"]]


def stored(world: World, candidate_id: str, name: str, exam_id: str = "23812") -> tuple[Submission, list[Event]]:
    """Store an attempt that was submitted and rescored, and its events."""
    key = AttemptKey(STARTED_AT, candidate_id)
    types = ("submission.submitted", "submission.rescored")
    seen_at = int(world.clock.at) - 60
    transitions = tuple(
        transition(
            event_id=submission_event_id("main", exam_id, key, event_type, 1),
            event_type=event_type,
            sequence=nth,
            observed_at=seen_at,
        )
        for nth, event_type in enumerate(types, 1)
    )
    row = attempt(candidate_id=candidate_id, candidate_name=name, result_url=f"https://provider.test/{name}")
    found = submission(exam_id=exam_id, attempt=row, transitions=transitions)
    SubmissionsTable(boto3.client("dynamodb", region_name=REGION), SUBMISSIONS).write([Change(None, found)])
    events = [submission_event(found, each) for each in transitions]
    for event in events:
        world.events.add(event, int(world.clock.at) + MONTH_S)
    return found, events


def delivered(world: World, event: Event, said: str) -> None:
    """A delivery of ``event`` that a receiver answered."""
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    message = delivery(world, event, endpoint.endpoint_id)
    claimed = world.deliveries.claim(message.endpoint_id, message.event_id, 1, until=1)
    assert claimed is not None
    record = AttemptRecord(1, 1, SendOutcome.ANSWERED, "answered 200", 200, 3, answer_excerpt=said)
    assert world.deliveries.record(claimed, record, DeliveryStatus.DELIVERED)


def delivery(world: World, event: Event, endpoint_id: str) -> DeliveryMessage:
    now = int(world.clock.at)
    world.deliveries.create(
        new_delivery(endpoint_id, event.event_id, event.event_type, now=now, expires_at=now + MONTH_S)
    )
    return DeliveryMessage(endpoint_id, event.event_id, 1)


def erase(*more: str) -> dict[str, Any]:
    finished = examhook("erase", "--candidate", GONE, "--yes", "--json", *more)
    assert finished.exit_code == 0, finished.err
    document = finished.json()
    assert isinstance(document, dict)
    return document


def counts(document: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in document.items() if type(value) is int}


@pytest.fixture
def filled(world: World) -> World:
    """Two attempts of the candidate, one of another, deliveries that wait and that were answered."""
    for exam_id in ("23812", "5"):
        _, (first, second) = stored(world, GONE, NAME, exam_id)
        delivered(world, first, f"Thank you, {NAME}")
        endpoint, _ = world.endpoint("http://127.0.0.1:9/")
        delivery(world, second, endpoint.endpoint_id)
    _, (others, _) = stored(world, "7", "Mei Chen")
    delivered(world, others, "Thank you, Mei Chen")
    return world


ALL = {"submissions": 2, "events": 4, "deliveries": 4, "waiting_deliveries": 2, "attempts": 2, "exams": 1}


def test_nothing_is_left_of_the_candidate_and_everything_of_the_others(filled: World) -> None:
    others = [item for item in everything() if "Mei Chen" in repr(item)]
    assert len(others) == 4
    document = erase()
    assert counts(document) == ALL
    assert (document["dry_run"], document["account"]) == (False, "main")
    left = everything()
    assert not [item for item in left if GONE in repr(item) or NAME in repr(item)]
    assert [item for item in left if "Mei Chen" in repr(item)] == others
    state = ExamStates(boto3.client("dynamodb", region_name=REGION), SUBMISSIONS).of_account("main")["23812"]
    assert (state.running, state.running_count) == ((AttemptKey(STARTED_AT, "7"),), 1)
    assert filled.enqueued() == []


def test_doing_it_again_finds_nothing_more(filled: World) -> None:
    erase()
    left = {repr(sorted(item)) for item in everything()}
    assert counts(erase()) == dict.fromkeys(ALL, 0)
    assert {repr(sorted(item)) for item in everything()} == left
    assert filled.enqueued() == []


def test_a_dry_run_says_the_same_and_changes_nothing(filled: World) -> None:
    before = everything()
    document = erase("--dry-run")
    assert (document["dry_run"], counts(document)) == (True, ALL)
    assert everything() == before
    assert filled.enqueued() == []


def test_a_person_reads_what_was_done_and_what_is_out_of_reach(filled: World) -> None:
    finished = examhook("erase", "--candidate", GONE, "--yes")
    assert finished.exit_code == 0
    assert "Deliveries\t4\t2 waiting, 2 attempts logged" in finished.out
    for place in ("e-mails", "24 hours", "35 days", "OnlineExamMaker"):
        assert place in finished.err
    assert NAME not in finished.out + finished.err
    assert filled.enqueued() == []


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["--candidate", GONE], 2, "--yes"),
        (["--candidate", " ", "--yes"], 2, "--candidate"),
        (["--candidate", GONE, "--yes", "--account", "mian"], 1, "mian"),
        ([], 2, "--candidate"),
    ],
)
def test_what_is_not_clear_is_asked_for(world: World, args: list[str], status: int, said: str) -> None:
    before = everything()
    finished = examhook("erase", *args)
    assert (finished.exit_code, said in finished.err) == (status, True)
    assert everything() == before
    assert world.enqueued() == []


def test_the_same_id_of_another_account_is_another_person(world: World) -> None:
    _, events = stored(world, GONE, NAME)
    other = replace(events[0], account="north", event_id="evt_" + "e" * 32)
    world.events.add(other, int(world.clock.at) + MONTH_S)
    erase()
    assert world.events.get(other.event_id) == other


def test_an_exam_that_is_called_like_a_candidate_is_nobody(world: World) -> None:
    """A title may contain the text that erasing searches for."""
    titled = submission(exam_title=f'"candidate":{{"id":"{GONE}"', exam_category=f'"candidate":{{"id":"{GONE}"')
    event = submission_event(titled, transition())
    world.events.add(event, int(world.clock.at) + MONTH_S)
    erase()
    assert world.events.get(event.event_id) == event


STEPS = [
    (CandidateEvents, "erase"),
    (CandidateDeliveries, "delete"),
    (CandidateSubmissions, "delete"),
]


@pytest.mark.parametrize(("step", "method"), STEPS, ids=["events", "deliveries", "submissions"])
@pytest.mark.parametrize("calls", [0, 1])
def test_an_erasure_that_broke_off_is_finished_by_the_next_one(
    filled: World, monkeypatch: pytest.MonkeyPatch, step: type, method: str, calls: int
) -> None:
    done: list[object] = []
    real = getattr(step, method)

    def breaks(*args: Any) -> None:
        if len(done) == calls:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "try again"}}, "DeleteItem")
        done.append(args)
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(step, method, breaks)
        assert examhook("erase", "--candidate", GONE, "--yes").exit_code == 1
    erase()
    assert not [item for item in everything() if GONE in repr(item) or NAME in repr(item)]
    assert not [one for one in filled.deliveries.every() if filled.events.get(one.event_id) is None]


def test_events_whose_submission_is_gone_already_are_found_by_what_they_say(filled: World) -> None:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    submissions = [item for item in dynamodb.scan(TableName=SUBMISSIONS)["Items"] if not is_exam(item)]
    for item in submissions:
        dynamodb.delete_item(TableName=SUBMISSIONS, Key={name: item[name] for name in ("pk", "sk")})
    assert counts(erase()) == {**ALL, "submissions": 0}
    assert not [one for one in filled.deliveries.every() if filled.events.get(one.event_id) is None]


def test_what_waited_is_never_sent_and_comes_back_by_no_message(filled: World) -> None:
    waiting = [one for one in filled.deliveries.every() if one.status is DeliveryStatus.PENDING]
    erase()
    filled.clock.at += 86_400
    assert filled.retry().enqueued == 0
    for one in waiting:
        report = filled.deliver(DeliveryMessage(one.endpoint_id, one.event_id, 1))
        assert report.outcome is MessageOutcome.CANCELLED
    assert not [item for item in everything() if GONE in repr(item)]


def test_an_attempt_that_is_under_way_when_it_is_erased_is_not_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliver has read the event with its fresh link and has not claimed the attempt yet."""
    _, (event, _) = stored(world, GONE, NAME)
    now = int(world.clock.at)
    world.links.request(event, now, now)
    world.links.answer(event, ResultLink(f"https://provider.test/{GONE}", now + 1800))

    def while_it_is_signed(*args: Any) -> Any:
        erase()
        return request_for(*args)

    monkeypatch.setattr(deliver_workflow, "request_for", while_it_is_signed)
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        report = world.deliver(delivery(world, event, endpoint.endpoint_id))
    assert (report.outcome, receiver.requests) == (MessageOutcome.DROPPED, [])
    assert not [item for item in everything() if GONE in repr(item)]


def test_what_the_stream_still_remembers_is_not_made_into_the_event_again(world: World) -> None:
    """Dispatch begins with adding the event, and leaves alone what was dispatched."""
    _, (event, never_kept) = stored(world, GONE, NAME)
    boto3.client("dynamodb", region_name=REGION).delete_item(
        TableName=EVENTS, Key={"event_id": {"S": never_kept.event_id}}
    )
    erase()
    for each in (event, never_kept):
        assert not world.events.add(each, int(world.clock.at) + MONTH_S)
        assert world.events.is_dispatched(each.event_id)
        assert world.events.get(each.event_id) is None
        assert world.links.get(each.event_id) is None
    now = int(world.clock.at)
    assert world.events.list_events(0, now) == []
    assert json.dumps(everything(), default=repr).count("erased_for") == 2


def test_replays_and_listings_know_nothing_of_what_was_erased(filled: World) -> None:
    shown = examhook("events", "list", "--json").json()
    assert isinstance(shown, list)
    erase()
    left = examhook("events", "list", "--json").json()
    assert isinstance(left, list)
    assert len(shown) - len(left) == 4
    erased = next(one["id"] for one in shown if one not in left)
    assert examhook("events", "show", erased).exit_code == 1
    assert examhook("events", "replay", erased).exit_code == 1
    assert filled.enqueued() == []
