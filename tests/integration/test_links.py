"""A delivery that comes after its result link's end carries a fresh one, and nobody is hurt by the asking."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
import standardwebhooks
from aws_lambda_powertools import Logger
from delivery_world import OPERATIONS_TOPIC
from jsonschema import Draft202012Validator
from link_world import LinkWorld, environment, link_world, secret
from referencing import Registry, Resource
from scripted_server import Received, answer, scripted_server
from tables import ENDPOINTS, EXAMS, SUBMISSIONS

from examhook.delivery.endpoint import Privacy
from examhook.destinations.delivery_queue import body_of, parse_body
from examhook.destinations.link_service import LinkService
from examhook.events.build import RESULT_LINK_SECONDS, Event
from examhook.events.catalogue import EventType
from examhook.storage.account_item import Refusal
from examhook.storage.exams import ExamsTable
from examhook.storage.link_turns import Turn
from examhook.wiring import links as wiring
from examhook.wiring.poll import poll
from examhook.workflows import links as workflow
from examhook.workflows.deliver import LINK_WAIT_S
from examhook.workflows.deliver_report import DeliverReport, MessageOutcome
from examhook.workflows.endpoint_changes import EndpointChanges, update_endpoint
from examhook.workflows.poll import PollRequest
from examhook_cli.simulator.server import Simulator, running_simulator
from examhook_cli.simulator.world import World as ProviderWorld

DEAD = {"url": None, "expires_at": "2026-05-03T14:33:00Z"}
SCHEMAS: dict[str, Any] = {
    path.name: json.loads(path.read_text())
    for path in (Path(__file__).parents[2] / "docs" / "events" / "schemas").glob("*.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


@dataclass
class Clock:
    """Time that passes only when somebody sleeps or turns it."""

    at: float

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator(ProviderWorld(seed=3)) as running:
        yield running


@pytest.fixture
def world(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LinkWorld]:
    with link_world(simulator, monkeypatch) as made:
        yield made


def result_in(request: Received) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(request.body)["data"]["submission"]["result"]
    return result


def test_a_late_delivery_carries_a_link_that_opens_and_is_otherwise_the_same_event(world: LinkWorld) -> None:
    ref = world.ended()
    event = world.event(ref)
    with scripted_server(answer()) as receiver:
        endpoint, secret = world.aws.endpoint(receiver.url)
        report = world.aws.deliver(world.message(endpoint, event))
    (request,) = receiver.requests
    assert report.outcome is MessageOutcome.DELIVERED
    assert standardwebhooks.Webhook(secret).verify(request.body, request.headers)["id"] == event.event_id
    assert request.headers["webhook-id"] == event.event_id
    result = result_in(request)
    assert world.opens(result["url"])
    told = request.body.decode()
    own = json.loads(event.body)["data"]["submission"]["result"]
    assert (
        told.replace(result["url"], own["url"]).replace(result["expires_at"], own["expires_at"]) == event.body.decode()
    )
    assert [(asked["eid"], asked["sid"]) for asked in world.asked()] == [(ref.exam_id, ref.candidate_id)]
    stored = world.aws.events.get(event.event_id)
    assert stored == event, "the stored event stays as it was first written"


def test_a_fresh_link_works_for_half_an_hour_by_our_own_clock(world: LinkWorld) -> None:
    """The simulator's clock stands months away from ours."""
    event = world.event(world.ended())
    before = int(time.time())
    link = world.function.workflow.run(event.event_id).link
    assert link is not None
    assert before + RESULT_LINK_SECONDS <= link.expires_at <= time.time() + RESULT_LINK_SECONDS


def test_ten_endpoints_at_once_cost_the_provider_one_request(world: LinkWorld) -> None:
    event = world.event(world.ended())
    with scripted_server(answer()) as receiver:
        messages = [world.message(world.aws.endpoint(f"{receiver.url}/{n}")[0], event) for n in range(10)]
        with ThreadPoolExecutor(10) as pool:
            reports = list(pool.map(world.aws.deliver, messages))
    assert {report.outcome for report in reports} == {MessageOutcome.DELIVERED}
    (url,) = {result_in(request)["url"] for request in receiver.requests}
    assert world.opens(url)
    assert len(world.asked()) == 1


def test_a_link_that_still_works_is_sent_as_it_is_and_nobody_is_asked(world: LinkWorld) -> None:
    event = world.event(world.ended(), observed_at=int(world.aws.clock.at))
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.aws.endpoint(receiver.url)
        world.aws.deliver(world.message(endpoint, event))
    assert receiver.requests[0].body == event.body
    assert world.function.invoked == []


@pytest.mark.parametrize("privacy", [Privacy.PSEUDONYMOUS, Privacy.THIN])
def test_for_endpoints_that_are_told_no_links_nobody_is_asked(world: LinkWorld, privacy: Privacy) -> None:
    event = world.event(world.ended())
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.aws.endpoint(receiver.url)
        update_endpoint(endpoint, EndpointChanges(privacy=privacy), world.aws.endpoints, world.aws.key)
        report = world.aws.deliver(world.message(endpoint, event))
    assert report.outcome is MessageOutcome.DELIVERED
    assert world.function.invoked == []


def deliver_to_a_new_endpoint(world: LinkWorld, event: Event, *, waited: bool = True) -> tuple[DeliverReport, Received]:
    """One attempt at a receiver that takes it."""
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.aws.endpoint(receiver.url)
        report = world.aws.deliver(replace(world.message(endpoint, event), waited=waited))
    (request,) = receiver.requests
    return report, request


def test_a_removed_attempt_is_marked_without_asking(world: LinkWorld) -> None:
    event = world.event(world.ended(), event_type=EventType.REMOVED)
    report, request = deliver_to_a_new_endpoint(world, event)
    assert report.outcome is MessageOutcome.DELIVERED
    assert result_in(request) == DEAD
    assert world.function.invoked == []


@pytest.mark.parametrize(
    "switch", ["server_error=502", "server_error=403", "throttled=60", "reset", "hang=30", "slow=30", "html_page"]
)
def test_whatever_is_wrong_with_the_provider_the_event_arrives_marked_and_the_provider_is_left_alone(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    world.simulator.control.quirk_on(switch)
    monkeypatch.setattr(workflow, "ASK_S", 0.3)
    for nth in (1, 2, 3):
        event = world.event(world.ended(), nth)
        report, request = deliver_to_a_new_endpoint(world, event)
        assert report.outcome is MessageOutcome.DELIVERED
        assert result_in(request) == DEAD
        Draft202012Validator(SCHEMAS["submission.submitted.json"], registry=REGISTRY).validate(json.loads(request.body))
        told = request.body.replace(b'"url":null,"expires_at"', b'"url":"https://provider.test/dead","expires_at"')
        assert told == event.body
        # Another process of Deliver, which does not know yet.
        world.aws.link_service = LinkService(world.function, "links", world.aws.clock.now)  # type: ignore[arg-type]
    assert len(world.asked()) == 1
    assert len(world.function.invoked) == 3


def test_after_a_while_a_provider_that_was_down_is_asked_again(world: LinkWorld) -> None:
    event = world.event(world.ended())
    world.simulator.control.quirk_on("server_error=500@next1")
    clock = Clock(time.time())
    renew = replace(world.function.workflow, now=clock.now, sleep=clock.sleep)
    first = renew.run(event.event_id)
    assert (first.link, first.quiet_s) == (None, workflow.FAILED_QUIET_S)
    clock.at += workflow.FAILED_QUIET_S - 2
    assert renew.run(event.event_id).link is None
    assert len(world.asked()) == 1
    clock.at += 3
    assert renew.run(event.event_id).link is not None


def test_each_failure_in_a_row_doubles_the_pause_and_a_success_ends_it(world: LinkWorld) -> None:
    events = [world.event(world.ended(), nth) for nth in range(1, 10)]
    clock = Clock(time.time())
    renew = replace(world.function.workflow, now=clock.now, sleep=clock.sleep)
    world.simulator.control.quirk_on("server_error=500@next6")
    pauses = []
    for event in events[:8]:
        answer_ = renew.run(event.event_id)
        pauses.append(answer_.quiet_s)
        clock.at += answer_.quiet_s + 2
    assert pauses == [30, 60, 120, 240, 480, 600, 0, 0]
    world.simulator.control.quirk_on("server_error=500@next1")
    assert renew.run(events[8].event_id).quiet_s == 30


def test_links_that_cannot_be_asked_fail_no_delivery(world: LinkWorld) -> None:
    world.function.fails = True
    for nth in (1, 2):
        report, request = deliver_to_a_new_endpoint(world, world.event(world.ended(), nth))
        assert report.outcome is MessageOutcome.DELIVERED
        assert result_in(request) == DEAD
    assert len(world.function.invoked) == 1, "after a failure it is left alone for a while"


def test_a_link_that_works_a_little_longer_stays_where_no_fresh_one_is_to_be_had(world: LinkWorld) -> None:
    world.function.fails = True
    event = world.event(world.ended(), observed_at=int(world.aws.clock.at) - RESULT_LINK_SECONDS + 60)
    _, request = deliver_to_a_new_endpoint(world, event)
    assert request.body == event.body


def test_a_candidate_who_is_gone_costs_one_request_and_no_one_else_a_link(world: LinkWorld) -> None:
    gone, there = world.ended(), world.ended()
    world.provider.remove(gone)
    event = world.event(gone)
    for _ in range(3):
        _, request = deliver_to_a_new_endpoint(world, event)
        assert result_in(request) == DEAD
    assert len(world.asked()) == 1
    _, request = deliver_to_a_new_endpoint(world, world.event(there, nth=2))
    assert world.opens(result_in(request)["url"])


def test_while_polls_are_refused_nobody_asks_for_links(world: LinkWorld) -> None:
    exams = ExamsTable(boto3.client("dynamodb", region_name="eu-central-1"), EXAMS)
    exams.remember_refusal("main", Refusal("version-1", since=1, last_asked_at=1))
    _, request = deliver_to_a_new_endpoint(world, world.event(world.ended()))
    assert result_in(request) == DEAD
    assert world.asked() == []


def test_while_polls_keep_to_a_pause_nobody_asks_for_links(world: LinkWorld) -> None:
    exams = ExamsTable(boto3.client("dynamodb", region_name="eu-central-1"), EXAMS)
    clock = Clock(float(int(time.time())))
    exams.leave_alone("main", int(clock.at) + 3600)
    renew = replace(world.function.workflow, now=clock.now, sleep=clock.sleep)
    event = world.event(world.ended())
    first = renew.run(event.event_id)
    assert (first.link, first.quiet_s, world.asked()) == (None, 600, []), "looked at again, should a person end it"
    exams.leave_alone("main", int(clock.at) + 300)
    clock.at += 601
    assert renew.run(event.event_id).link is not None


def test_who_does_not_get_a_turn_waits_once_and_then_goes_out_marked(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "PATIENCE_S", 0.0)
    turns = world.function.workflow.turns
    now_ms = int(time.time() * 1000)
    turns.take("main", now_ms, now_ms + 60_000)
    event = world.event(world.ended())
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.aws.endpoint(receiver.url)
        message = world.message(endpoint, event)
        report = world.aws.deliver(message)
        ((again, delay_s),) = world.aws.enqueued()
        assert (report.outcome, receiver.requests) == (MessageOutcome.PUT_OFF, [])
        assert again == replace(message, waited=True)
        assert parse_body(body_of(again)) == again
        assert LINK_WAIT_S[0] <= delay_s <= LINK_WAIT_S[1]
        assert world.aws.stored(message).attempts == 0, "no attempt is used up by waiting"
        report = world.aws.deliver(again)
    assert report.outcome is MessageOutcome.DELIVERED
    assert result_in(receiver.requests[0]) == DEAD
    assert world.asked() == []


def test_a_link_is_kept_for_later_attempts_and_got_anew_when_that_one_ends_too(world: LinkWorld) -> None:
    event = world.event(world.ended())
    _, first = deliver_to_a_new_endpoint(world, event)
    world.aws.clock.at += 1200
    _, second = deliver_to_a_new_endpoint(world, event)
    assert result_in(second) == result_in(first)
    assert len(world.asked()) == 1
    # Hours later, by a replay.
    world.aws.clock.at += 7200
    later = Clock(world.aws.clock.at)
    world.function.workflow = replace(world.function.workflow, now=later.now, sleep=later.sleep)
    _, third = deliver_to_a_new_endpoint(world, event)
    assert result_in(third)["url"] != result_in(first)["url"]
    assert world.opens(result_in(third)["url"])


def test_a_process_that_dies_while_it_asks_holds_nobody_up_for_long(world: LinkWorld) -> None:
    event = world.event(world.ended())
    renew, now = world.function.workflow, time.time()
    assert renew.links.claim(event.event_id, "dead", int(now), int(now) + workflow.CLAIM_S)
    taken = renew.turns.take("main", int(now * 1000), int(now * 1000) + int(workflow.ASK_S * 1000))
    assert isinstance(taken, Turn)
    clock = Clock(now + 1)
    renew = replace(renew, now=clock.now, sleep=clock.sleep)
    assert renew.run(event.event_id).busy
    clock.at = now + workflow.CLAIM_S + 1
    assert renew.run(event.event_id).link is not None


def test_an_event_that_is_gone_needs_no_link(world: LinkWorld) -> None:
    assert world.function.workflow.run("evt_" + "0" * 32).link is None
    assert world.asked() == []


@pytest.mark.parametrize("rows", [1, 150])
def test_links_come_from_the_v1_api_too(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """The candidate's login is not known: the exam's first and last rows are looked at."""
    with link_world(simulator, monkeypatch, PROVIDER_DIALECT="v1") as world:
        ref = world.ended()
        world.provider.advance(90 * 86_400)
        world.provider.populate(world.exam_id, rows)
        _, request = deliver_to_a_new_endpoint(world, world.event(ref))
        assert world.opens(result_in(request)["url"])
        assert len(world.asked()) == (1 if rows < 100 else 2)


def test_each_account_is_asked_with_its_own_code_at_its_own_address(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_simulator(ProviderWorld(seed=4), code="north-code") as north:
        accounts = {
            "north": {"code": "north-code", "base_url": north.base_url},
            "slow": {"code": "x", "base_url": north.base_url, "requests_per_second": 1},
        }
        with link_world(simulator, monkeypatch, accounts=json.dumps(accounts)) as world:
            own, further = world.ended(), north.world.start(north.world.create_exam())
            _, request = deliver_to_a_new_endpoint(world, world.event(own, 1))
            assert result_in(request)["url"].startswith(simulator.base_url)
            _, request = deliver_to_a_new_endpoint(world, world.event(further, 2, account="north"))
            assert result_in(request)["url"].startswith(north.base_url)
            assert world.opens(result_in(request)["url"])
            for nth, account in ((3, "slow"), (4, "left")):
                _, request = deliver_to_a_new_endpoint(world, world.event(further, nth, account=account))
                assert result_in(request) == DEAD
        assert (len(world.asked()), len(north.api.requests())) == (1, 1)


def test_polls_and_links_together_keep_the_pace(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll of many exams runs while twelve late deliveries want a link each, from several processes at once."""
    simulator.control.set_limit(5)
    with link_world(simulator, monkeypatch) as world:
        for _ in range(15):
            world.provider.populate(world.provider.create_exam(), 3)
        events = [world.event(world.ended(), nth) for nth in range(1, 13)]
        arn = secret("code-of-polls", simulator.code)
        polls = poll(
            {
                **environment(simulator, arn),
                "POLL_SECONDS": "60",
                "INITIAL_SYNC": "silent",
                "FULL_PASS_MINUTES": "60",
                "SUBMISSIONS_TABLE": SUBMISSIONS,
                "ENDPOINTS_TABLE": ENDPOINTS,
                "OPERATIONS_TOPIC_ARN": OPERATIONS_TOPIC,
                "FAILURE_QUEUE_URL": "https://sqs.test/failures",
            }
        )
        processes = [wiring.links(environment(simulator, arn)) for _ in range(3)]
        with ThreadPoolExecutor(4) as pool:
            report = pool.submit(polls.run, PollRequest(manual=True), lambda: 300.0)
            answers = list(pool.map(lambda n: processes[n % 3].run(events[n].event_id), range(len(events))))
            assert report.result().complete, report.result().errors
        assert any(found.link is not None for found in answers)
        assert {found.busy for found in answers if found.link is None} <= {True}
    assert simulator.api.limit.refused == 0
    assert simulator.api.limit.most_in_a_second <= 5


def test_no_log_and_no_text_of_a_value_holds_a_link_or_the_code(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = StringIO()
    logger = Logger(service="links-under-test", stream=written)
    monkeypatch.setattr("examhook.handlers.links.logger", logger)
    event = world.event(world.ended())
    _, request = deliver_to_a_new_endpoint(world, event)
    token = result_in(request)["url"].rpartition("/")[2]
    (line,) = [json.loads(each) for each in written.getvalue().splitlines()]
    assert line["examhook"]["outcome"] == "renewed"
    values = repr(world.aws.links.get(event.event_id)) + repr(world.function.workflow.run(event.event_id))
    assert not [said for said in (written.getvalue(), values) if token in said or world.simulator.code in said]
