"""A delivery whose result link has expired waits for the next poll, and is sent with a fresh link or a marked one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import standardwebhooks
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from examhook.delivery.endpoint import Endpoint, Privacy
from examhook.delivery.link_renewal import REPEAT_AFTER_S, WAIT_S
from examhook.destinations.delivery_queue import DeliveryMessage, parse_body
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.events.build import RESULT_LINK_LIFETIME_S, Event
from examhook.events.catalogue import EventType
from examhook.events.result_link import ResultLink
from examhook.model import Attempt, AttemptKey
from examhook.provider.errors import ProviderRefused, ProviderRejected
from examhook.provider.port import ExamPage, ResultsPage
from examhook.provider.v1 import V1Client
from examhook.storage.erasure import CandidateEvents
from examhook.wiring.poll import build_polls
from examhook.workflows.administration.endpoint_changes import EndpointChanges, update_endpoint
from examhook.workflows.delivering.deliver import LINK_CHECK_S
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome
from examhook.workflows.polling.poll import PollRequest
from examhook.workflows.polling.result_links import MAX_REQUESTS, SERVE_S, attempt_of
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World as ProviderWorld
from tests.support.delivery.delivery_stack import OPERATIONS_TOPIC, REGION, Clock
from tests.support.delivery.link_stack import LinkWorld, link_world
from tests.support.delivery.scripted_server import Received, ScriptedServer, answer, scripted_server
from tests.support.storage.tables import EVENTS
from tests.support.template.poll_environment import poll_environment

DEAD = {"url": None, "expires_at": "2026-05-03T14:33:00Z"}
SCHEMAS: dict[str, Any] = {
    path.name: json.loads(path.read_text())
    for path in (Path(__file__).parents[2] / "docs" / "events" / "schemas").glob("*.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator(ProviderWorld(seed=3), requests_per_second=None) as running:
        yield running


@pytest.fixture
def world(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LinkWorld]:
    with link_world(simulator, monkeypatch) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[ScriptedServer]:
    with scripted_server(answer()) as running:
        yield running


def result_in(request: Received) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(request.body)["data"]["submission"]["result"]
    return result


def late(world: LinkWorld, receiver: ScriptedServer, event: Event) -> tuple[Endpoint, DeliveryMessage]:
    """A delivery of ``event`` to a new endpoint, whose first attempt waits for a link."""
    endpoint, _ = world.aws.endpoint(receiver.url)
    message = world.message(endpoint, event)
    assert world.aws.deliver(message).outcome is MessageOutcome.PUT_OFF
    return endpoint, message


def arrived(world: LinkWorld, receiver: ScriptedServer, message: DeliveryMessage) -> dict[str, Any]:
    """The result in what arrives when ``message`` comes again."""
    before = len(receiver.requests)
    assert world.aws.deliver(message).outcome is MessageOutcome.DELIVERED
    (request,) = receiver.requests[before:]
    return result_in(request)


def item_of(event: Event) -> dict[str, Any]:
    found = boto3.client("dynamodb", region_name=REGION).get_item(
        TableName=EVENTS, Key={"event_id": {"S": event.event_id}}
    )
    return found.get("Item", {})


def test_a_late_delivery_carries_a_link_that_opens_and_is_otherwise_the_same_event(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    ref = world.ended()
    event = world.event(ref)
    endpoint, secret = world.aws.endpoint(receiver.url)
    message = world.message(endpoint, event)
    assert world.aws.deliver(message).outcome is MessageOutcome.PUT_OFF
    ((again, delay_s),) = world.aws.enqueued()
    assert (again, receiver.requests, world.asked()) == (message, [], [])
    assert LINK_CHECK_S[0] <= delay_s <= LINK_CHECK_S[1]
    assert world.aws.stored(message).attempts == 0, "waiting uses up no attempt"
    world.serve()
    assert world.aws.deliver(again).outcome is MessageOutcome.DELIVERED
    (request,) = receiver.requests
    assert standardwebhooks.Webhook(secret).verify(request.body, request.headers)["id"] == event.event_id
    assert request.headers["webhook-id"] == event.event_id
    result = result_in(request)
    assert world.opens(result["url"])
    own = json.loads(event.body)["data"]["submission"]["result"]
    sent = request.body.decode().replace(result["url"], own["url"]).replace(result["expires_at"], own["expires_at"])
    assert sent == event.body.decode()
    assert [(asked["eid"], asked["sid"]) for asked in world.asked()] == [(ref.exam_id, ref.candidate_id)]
    assert world.aws.events.get(event.event_id) == event, "the stored event stays as it was first written"


def test_a_poll_serves_requests_after_its_detection(world: LinkWorld, receiver: ScriptedServer) -> None:
    gone = world.ended()
    world.provider.remove(gone)
    there = world.ended()
    messages = [late(world, receiver, world.event(ref, nth))[1] for nth, ref in enumerate((gone, there))]
    secrets = boto3.client("secretsmanager", region_name=REGION)
    code_arn = secrets.create_secret(Name="code", SecretString=world.simulator.code)["ARN"]
    made = build_polls(poll_environment(world.simulator.base_url, code_arn, OPERATIONS_TOPIC)).own
    report = replace(made, now=world.aws.clock.now, sleep=world.aws.clock.sleep).run(PollRequest(), lambda: 300.0)
    assert report.complete, report.errors
    assert arrived(world, receiver, messages[0]) == DEAD
    assert world.opens(arrived(world, receiver, messages[1])["url"])
    assert report.requests == len(world.asked())


def test_a_fresh_link_works_for_half_an_hour_by_our_own_clock(world: LinkWorld, receiver: ScriptedServer) -> None:
    """The simulator's clock is months away from ours."""
    event = world.event(world.ended())
    late(world, receiver, event)
    world.serve()
    kept = world.aws.links.get(event.event_id)
    assert kept is not None
    assert kept.renewed is not None
    assert kept.renewed.expires_at == int(world.aws.clock.at) + RESULT_LINK_LIFETIME_S


def test_ten_endpoints_and_two_events_of_one_attempt_cost_the_provider_one_request(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    ref = world.ended()
    event, other = world.event(ref), world.event(ref, 2, event_type=EventType.RESCORED)
    messages = [late(world, receiver, each)[1] for each in (event, other) for _ in range(5)]
    world.serve()
    assert len({arrived(world, receiver, message)["url"] for message in messages}) == 1
    assert len(world.asked()) == 1


def test_a_link_that_still_works_is_sent_as_it_is(world: LinkWorld, receiver: ScriptedServer) -> None:
    event = world.event(world.ended(), observed_at=int(world.aws.clock.at))
    endpoint, _ = world.aws.endpoint(receiver.url)
    assert world.aws.deliver(world.message(endpoint, event)).outcome is MessageOutcome.DELIVERED
    assert receiver.requests[0].body == event.body
    assert "link_requested_at" not in item_of(event)


@pytest.mark.parametrize("privacy", [Privacy.PSEUDONYMOUS, Privacy.THIN])
def test_endpoints_that_see_no_links_request_none(world: LinkWorld, receiver: ScriptedServer, privacy: Privacy) -> None:
    event = world.event(world.ended())
    endpoint, _ = world.aws.endpoint(receiver.url)
    update_endpoint(endpoint, EndpointChanges(privacy=privacy), world.aws.endpoints, world.aws.key)
    assert world.aws.deliver(world.message(endpoint, event)).outcome is MessageOutcome.DELIVERED
    assert "link_requested_at" not in item_of(event)


def test_a_removed_attempt_is_marked_without_a_request(world: LinkWorld, receiver: ScriptedServer) -> None:
    event = world.event(world.ended(), event_type=EventType.REMOVED)
    endpoint, _ = world.aws.endpoint(receiver.url)
    assert arrived(world, receiver, world.message(endpoint, event)) == DEAD
    assert "link_requested_at" not in item_of(event)


@pytest.mark.parametrize(
    ("switch", "requests"),
    [
        ("server_error=502", 6),
        ("throttled=60", 1),
        ("reset", 6),
        ("hang=30", 6),
        ("slow=30", 6),
        ("server_error=403", 3),
        ("html_page", 6),
    ],
)
def test_a_failing_provider_is_left_alone_and_the_event_arrives_marked(
    world: LinkWorld, receiver: ScriptedServer, switch: str, requests: int
) -> None:
    """Three exams: after two failures in a row no other exam is asked, and none after a request for a pause.

    A rejection is an answer about one exam.
    """
    messages = []
    for nth in range(3):
        event = world.event(world.ended(exam_id=world.provider.create_exam()), nth)
        messages.append(late(world, receiver, event)[1])
    world.simulator.control.quirk_on(switch)
    world.options["request_deadline_s"] = 0.2
    world.serve()
    assert len(world.asked()) == requests
    world.aws.clock.at += WAIT_S
    for message in messages:
        assert arrived(world, receiver, message) == DEAD
    for request in receiver.requests:
        Draft202012Validator(SCHEMAS["submission.submitted.json"], registry=REGISTRY).validate(json.loads(request.body))


def test_what_a_failing_provider_left_open_the_next_poll_serves(world: LinkWorld, receiver: ScriptedServer) -> None:
    _, message = late(world, receiver, world.event(world.ended()))
    world.simulator.control.quirk_on("server_error=500@next3")
    report = world.serve()
    assert report.provider_failed
    assert world.aws.deliver(message).outcome is MessageOutcome.PUT_OFF
    world.serve()
    assert world.opens(arrived(world, receiver, message)["url"])


def test_a_pause_that_the_provider_asks_for_is_reported(world: LinkWorld, receiver: ScriptedServer) -> None:
    late(world, receiver, world.event(world.ended()))
    world.simulator.control.quirk_on("throttled=600")
    assert world.serve().pause_s == 600
    assert len(world.asked()) == 1


def test_a_refused_code_is_raised_for_the_poll(world: LinkWorld, receiver: ScriptedServer) -> None:
    _, message = late(world, receiver, world.event(world.ended()))
    with pytest.raises(ProviderRefused):
        world.serve(client=Refusing(world.aws.clock))
    assert world.aws.deliver(message).outcome is MessageOutcome.PUT_OFF


def test_an_exam_that_always_fails_costs_no_other_exam_its_links(world: LinkWorld, receiver: ScriptedServer) -> None:
    broken = world.provider.create_exam()
    world.simulator.control.quirk_on("server_error=500", exam_id=broken)
    _, first = late(world, receiver, world.event(world.ended(exam_id=broken), 1))
    _, second = late(world, receiver, world.event(world.ended(), 2))
    world.serve()
    assert world.opens(arrived(world, receiver, second)["url"])
    assert world.aws.deliver(first).outcome is MessageOutcome.PUT_OFF


def test_without_a_poll_an_event_goes_out_marked_and_requests_again_only_later(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    event = world.event(world.ended())
    began_at = world.aws.clock.at
    _, message = late(world, receiver, event)
    world.aws.clock.at = began_at + WAIT_S - 1
    assert world.aws.deliver(message).outcome is MessageOutcome.PUT_OFF
    world.aws.clock.at = began_at + WAIT_S
    assert arrived(world, receiver, message) == DEAD
    endpoint, _ = world.aws.endpoint(receiver.url)
    world.aws.clock.at = began_at + REPEAT_AFTER_S - 1
    assert arrived(world, receiver, world.message(endpoint, event)) == DEAD
    world.serve()
    assert world.asked() == [], "nobody waits for that link any more"
    world.aws.clock.at = began_at + REPEAT_AFTER_S
    _, message = late(world, receiver, event)
    world.serve()
    assert world.opens(arrived(world, receiver, message)["url"])


def test_a_link_that_works_a_little_longer_is_sent_where_no_fresh_one_comes(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    event = world.event(world.ended(), observed_at=int(world.aws.clock.at) - RESULT_LINK_LIFETIME_S + WAIT_S - 1)
    _, message = late(world, receiver, event)
    world.aws.links.close(event)
    assert world.aws.deliver(message).outcome is MessageOutcome.DELIVERED
    assert receiver.requests[0].body == event.body


def test_a_candidate_who_is_gone_costs_one_request_and_no_one_else_a_link(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    gone, there = world.ended(), world.ended(exam_id=world.provider.create_exam())
    world.provider.remove(gone)
    event = world.event(gone)
    _, message = late(world, receiver, event)
    _, other = late(world, receiver, world.event(there, nth=2))
    world.serve()
    world.serve()
    assert len(world.asked()) == 2
    assert arrived(world, receiver, message) == DEAD, "without waiting longer"
    assert world.opens(arrived(world, receiver, other)["url"])


def test_a_link_is_kept_for_later_attempts_and_replaced_when_it_expires_too(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    event = world.event(world.ended())
    _, message = late(world, receiver, event)
    world.serve()
    first = arrived(world, receiver, message)
    world.aws.clock.at += 1200
    endpoint, _ = world.aws.endpoint(receiver.url)
    assert arrived(world, receiver, world.message(endpoint, event)) == first
    # Hours later, by a replay.
    world.aws.clock.at += 7200
    _, message = late(world, receiver, event)
    world.serve()
    third = arrived(world, receiver, message)
    assert third["url"] != first["url"]
    assert world.opens(third["url"])
    assert len(world.asked()) == 2


def test_each_account_s_poll_serves_its_own_requests(world: LinkWorld, receiver: ScriptedServer) -> None:
    _, message = late(world, receiver, world.event(world.ended(), account="north"))
    world.serve("main")
    assert world.asked() == []
    world.serve("north")
    assert world.opens(arrived(world, receiver, message)["url"])


def test_an_erased_candidate_is_neither_asked_about_nor_given_a_link(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    event = world.event(world.ended())
    late(world, receiver, event)
    CandidateEvents(boto3.client("dynamodb", region_name=REGION), EVENTS).erase(event.event_id, "hash", 1)
    erased = item_of(event)
    world.serve()
    # A poll that had read the request before.
    world.aws.links.answer(event, ResultLink("https://provider.test/fresh", 1))
    assert (world.asked(), item_of(event)) == ([], erased)
    # A delivery that had read the event before, and that poll again.
    world.aws.links.request(event, 10, 0)
    world.aws.links.answer(event, ResultLink("https://provider.test/fresh", 1))
    world.serve()
    assert (world.asked(), "link_url" in item_of(event)) == ([], False)


def test_an_expired_event_is_not_brought_back(world: LinkWorld) -> None:
    event = world.event(world.ended())
    boto3.client("dynamodb", region_name=REGION).delete_item(TableName=EVENTS, Key={"event_id": {"S": event.event_id}})
    world.aws.links.request(event, 10, 0)
    world.aws.links.answer(event, ResultLink("https://provider.test/fresh", 1))
    world.aws.links.close(event)
    assert item_of(event) == {}


def test_an_event_of_another_version_stops_no_other_request(world: LinkWorld, receiver: ScriptedServer) -> None:
    strange, event = world.event(world.ended(), 1), world.event(world.ended(), 2)
    for each in (strange, event):
        world.aws.links.request(each, int(world.aws.clock.at), 0)
    boto3.client("dynamodb", region_name=REGION).update_item(
        TableName=EVENTS,
        Key={"event_id": {"S": strange.event_id}},
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"N": "2"}},
    )
    world.serve()
    endpoint, _ = world.aws.endpoint(receiver.url)
    assert world.opens(arrived(world, receiver, world.message(endpoint, event))["url"])


@pytest.mark.parametrize("rows", [1, 150])
def test_links_come_from_the_v1_api_too(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, receiver: ScriptedServer, rows: int
) -> None:
    """The candidate's login is not stored: the exam's first and last rows are read."""
    with link_world(simulator, monkeypatch, V1Client) as world:
        ref = world.ended()
        world.provider.advance(90 * 86_400)
        world.provider.populate(world.exam_id, rows)
        _, message = late(world, receiver, world.event(ref))
        world.serve()
        assert world.opens(arrived(world, receiver, message)["url"])
        assert len(world.asked()) == (1 if rows < 100 else 2)


def test_a_message_of_an_older_version_that_waited_for_a_link_still_goes_out(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    event = world.event(world.ended())
    endpoint, _ = world.aws.endpoint(receiver.url)
    message = world.message(endpoint, event)
    old = parse_body(
        f'{{"endpoint_id":"{endpoint.endpoint_id}","event_id":"{event.event_id}","attempt":1,"waited":true}}'
    )
    assert old == message
    assert world.aws.deliver(old).outcome is MessageOutcome.PUT_OFF
    world.aws.clock.at += WAIT_S
    assert arrived(world, receiver, old) == DEAD


def test_a_delivery_that_waits_takes_no_place_in_the_pace_of_its_endpoint(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    endpoint, _ = world.aws.endpoint(receiver.url)
    changes = EndpointChanges(rate_per_second=0.1)
    endpoint = update_endpoint(
        endpoint, changes, world.aws.endpoints, world.aws.key, allow_http=True, allow_private=True
    )
    waiting = world.message(endpoint, world.event(world.ended(), 1))
    ready = world.message(endpoint, world.event(world.ended(), 2, observed_at=int(world.aws.clock.at)))
    assert world.aws.deliver(waiting).outcome is MessageOutcome.PUT_OFF
    assert world.aws.deliver(ready).outcome is MessageOutcome.DELIVERED


def test_no_text_of_a_value_holds_a_link(world: LinkWorld, receiver: ScriptedServer) -> None:
    event = world.event(world.ended())
    _, message = late(world, receiver, event)
    report = world.serve()
    token = arrived(world, receiver, message)["url"].rpartition("/")[2]
    assert token not in repr(world.aws.links.get(event.event_id)) + repr(report)


@dataclass
class Counting:
    """A provider whose exams have a row for each candidate asked for; each request takes ``takes_s``."""

    clock: Clock
    takes_s: float = 0.0
    give_up_at: float = float("inf")
    requests_made: int = 0
    clock_offset_s: int | None = 0
    singly: list[str] = field(default_factory=list)
    rejected: Sequence[str] = ()
    """Candidates about whom it gives errors."""
    rows: Sequence[Attempt] = ()

    def exams(self, start: int, limit: int) -> ExamPage:
        raise NotImplementedError

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        del exam_id, candidate_id
        self._ask()
        found = tuple(self.rows[start : start + limit])
        return ResultsPage(found, len(found))

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        self.singly.append(exam_id)
        self._ask()
        if key.candidate_id in self.rejected:
            raise ProviderRejected("The provider gives an error instead of a candidate's results.")
        return row_of(key)

    def _ask(self) -> None:
        self.requests_made += 1
        self.clock.at += self.takes_s


@dataclass
class Refusing(Counting):
    """A provider that refuses the account code."""

    def _ask(self) -> None:
        raise ProviderRefused("The provider refuses the account code.")


def row_of(key: AttemptKey) -> Attempt:
    return Attempt(key.candidate_id, key.started_at, 1, "Mei Chen", result_url="https://provider.test/fresh")


def requested(world: LinkWorld, count: int, *, exams: int) -> list[Event]:
    """Events of different attempts with an open request, spread over a number of exams."""
    events = []
    for nth in range(count):
        ref = replace(world.ended(), exam_id=f"{nth % exams}")
        events.append(world.event(ref, nth))
        world.aws.links.request(events[-1], int(world.aws.clock.at), 0)
    return events


def open_ones(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if "link_requested_for" in item_of(event)]


def test_one_poll_makes_a_bounded_number_of_requests_and_the_next_goes_on(world: LinkWorld) -> None:
    events = requested(world, MAX_REQUESTS + 5, exams=MAX_REQUESTS + 5)
    first = Counting(world.aws.clock)
    world.serve(client=first)
    assert first.requests_made == MAX_REQUESTS
    assert len(open_ones(events)) == 5
    second = Counting(world.aws.clock)
    world.serve(client=second)
    assert second.requests_made == 5
    assert open_ones(events) == []


def test_an_error_about_one_candidate_closes_no_other_request(world: LinkWorld) -> None:
    events = requested(world, 3, exams=1)
    client = Counting(world.aws.clock, rejected=[attempt_of(events[0]).candidate_id])
    world.serve(client=client)
    assert open_ones(events) == []
    assert ["link_url" in item_of(event) for event in events] == [False, True, True]


def test_slow_answers_take_a_bounded_time_of_a_poll(world: LinkWorld) -> None:
    requested(world, 10, exams=10)
    slow = Counting(world.aws.clock, takes_s=SERVE_S / 2)
    world.serve(client=slow)
    assert slow.requests_made == 2
    out_of_time = Counting(world.aws.clock, give_up_at=world.aws.clock.at)
    world.serve(client=out_of_time)
    assert out_of_time.requests_made == 0


def test_a_page_that_brings_at_most_one_link_is_the_last(world: LinkWorld) -> None:
    """An exam with many rows, most of them not wanted: single requests cost no more."""
    events = requested(world, 5, exams=1)
    wanted = [row_of(attempt_of(event)) for event in events]
    other = [replace(row, candidate_id=f"other{nth}") for nth, row in enumerate(wanted * 40)]
    client = Counting(world.aws.clock, rows=[*wanted[:2], *other[:98], wanted[2], *other[98:]])
    world.serve(client=client)
    assert (client.requests_made, len(client.singly)) == (2 + 2, 2)
    assert open_ones(events) == []


def test_after_an_outage_of_hours_every_event_arrives_and_with_a_working_link(
    world: LinkWorld, receiver: ScriptedServer
) -> None:
    """240 events of one exam and of 30 small ones, to an endpoint that is back."""
    exams = [world.provider.create_exam() for _ in range(30)]
    refs = [world.ended() for _ in range(210)] + [world.ended(exam_id=exam) for exam in exams]
    endpoint, _ = world.aws.endpoint(receiver.url)
    events = [world.event(ref, nth) for nth, ref in enumerate(refs)]
    waiting = [world.message(endpoint, event) for event in events]
    session = guarded_client(allow_private=True)
    deliver = world.aws.deliver_by(WebhookSender(session, allow_http=True, allow_private=True))

    def attempts() -> list[DeliverReport]:
        known = [deliver.load_batch(waiting[start : start + 50]) for start in range(0, len(waiting), 50)]
        return [deliver.process(message, known[nth // 50]) for nth, message in enumerate(waiting)]

    for _ in range(4):
        reports = attempts()
        waiting = [each.message for each in reports if each.outcome is MessageOutcome.PUT_OFF]
        assert {each.outcome for each in reports} <= {MessageOutcome.PUT_OFF, MessageOutcome.DELIVERED}
        before = len(world.asked())
        world.serve()
        assert len(world.asked()) - before <= MAX_REQUESTS
        world.aws.clock.at += 60
    session.close()
    assert waiting == []
    sent = {request.headers["webhook-id"]: result_in(request)["url"] for request in receiver.requests}
    assert (len(receiver.requests), set(sent)) == (240, {event.event_id for event in events})
    assert None not in sent.values()
    assert all(world.opens(str(url)) for url in list(sent.values())[::25])
