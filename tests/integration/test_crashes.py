"""SIGKILL before and after each side effect of Dispatch, Deliver and Retry: nothing is lost, and every repetition has
the same id.

Each case kills real processes, one at each side effect. The emulated AWS keeps running, then repeats the batch or the
message as AWS does, and ticks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from examhook.delivery.endpoint import DOWN_AFTER_FAILURES, Endpoint
from examhook.delivery.health_policy import WARN_AFTER_S
from examhook.delivery.record import DeliveryStatus, new_delivery
from examhook.delivery.schedule import CLAIM_TIMEOUT_S, REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import DeliveryMessage, body_of
from examhook.destinations.secrets import SecretsKey
from examhook.events.build import submission_event
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventsTable
from examhook.workflows.administration.endpoints import add_endpoint
from tests.support.delivery.killed_process import Killer, running_killer
from tests.support.delivery.scripted_server import Step, answer, scripted_server
from tests.support.dispatch.dispatch_stack import ids_of, sample_batch
from tests.support.events.model_values import attempt, submission, transition
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS, SUBMISSIONS, create_tables
from tools.bench.cloud import Cloud, running_cloud

pytestmark = pytest.mark.skipif(
    not Path(".venv-emulator/bin/python").exists(), reason="the emulator's environment is not set up"
)

MONTH_S = 30 * 86_400
TICK = {"trigger": "schedule"}
MOST_SIDE_EFFECTS = 40
BOTH = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud("none") as made:
        yield made


@pytest.fixture(scope="module")
def killer(cloud: Cloud) -> Iterator[Killer]:
    with running_killer(cloud.environ) as made:
        yield made


@dataclass
class World:
    """Tables, queues and topics of one run's own, and the three functions that work on them."""

    killer: Killer
    environ: Mapping[str, str]
    sqs: Any
    endpoints: EndpointsTable
    deliveries: DeliveriesTable
    events: EventsTable
    key: SecretsKey
    inboxes: Mapping[str, str]

    def endpoint(self, url: str) -> Endpoint:
        made, _ = add_endpoint(url, self.endpoints, self.key, time.time, allow_http=True, allow_private=True)
        return made

    def delivery(
        self, endpoint: Endpoint, nth: int, status: DeliveryStatus = DeliveryStatus.PENDING
    ) -> DeliveryMessage:
        now = int(time.time())
        without_link = submission(attempt=attempt(result_url=None))
        event = submission_event(without_link, transition(event_id=f"evt_{nth:032x}", sequence=nth))
        self.events.add(event, now + MONTH_S)
        fresh = new_delivery(endpoint.endpoint_id, event.event_id, event.event_type, now=now, expires_at=now + MONTH_S)
        self.deliveries.create(fresh)
        if status is DeliveryStatus.WAITING:
            self.deliveries.hold(endpoint.endpoint_id, event.event_id, 1)
        return DeliveryMessage(endpoint.endpoint_id, event.event_id, 1)

    def invoke(self, function: str, event: object, **how: object) -> bool:
        return self.killer.invoke(function, event, self.environ, **how)

    def bring(self, *bodies: str, **how: object) -> bool:
        """Invoke Deliver with these messages as one batch."""
        return self.invoke("deliver", batch_of(*bodies), **how)

    def run_until_delivered(self, *, until_s: int) -> None:
        """Run Retry and Deliver as time passes, until everything is delivered or ``until_s`` seconds have passed."""
        for ahead_s in range(CLAIM_TIMEOUT_S + 1, until_s, REQUEUE_AFTER_S // 2):
            if all(each.status is DeliveryStatus.DELIVERED for each in self.deliveries.every()):
                return
            self.invoke("retry", TICK, ahead_s=ahead_s)
            while bodies := self.taken(self.environ["DELIVERY_QUEUE_URL"]):
                self.bring(*bodies[:10], ahead_s=ahead_s)
                for rest in range(10, len(bodies), 10):
                    self.bring(*bodies[rest : rest + 10], ahead_s=ahead_s)

    def taken(self, queue_url: str) -> list[str]:
        """Take every receivable message off a queue."""
        bodies: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
            bodies += [message["Body"] for message in messages]
            for message in messages:
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def inbox(self, topic: str) -> list[dict[str, Any]]:
        """Messages that a topic sent."""
        return [json.loads(body) for body in self.taken(self.inboxes[topic])]


def batch_of(*bodies: str) -> dict[str, object]:
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


class _Named:
    """A DynamoDB client whose table names contain the number of the run."""

    def __init__(self, client: Any, suffix: str) -> None:
        self._client, self._suffix = client, suffix

    def create_table(self, **named: Any) -> None:
        self._client.create_table(**{**named, "TableName": named["TableName"] + self._suffix})


_numbers = count(1)
Start = Callable[..., World]
"""Makes a world, with these addresses in the stack's parameter."""


@cache
def clients(url: str) -> tuple[Any, Any, Any, Any]:
    """Clients of SQS, SNS, KMS and DynamoDB, created once because each takes a while."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    return (
        session.client("sqs", endpoint_url=url),
        session.client("sns", endpoint_url=url),
        session.client("kms", endpoint_url=url),
        session.client("dynamodb", endpoint_url=url),
    )


def fresh_world(cloud: Cloud, killer: Killer, *urls: str) -> World:
    suffix = f"-{next(_numbers)}"
    variables = cloud.environ
    sqs, sns, kms, dynamodb = clients(variables["AWS_ENDPOINT_URL"])
    create_tables(_Named(dynamodb, suffix))  # type: ignore[arg-type] # a stand-in
    key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    topics, inboxes = {}, {}
    for name in ("submissions", "operations"):
        topics[name] = sns.create_topic(Name=name + suffix)["TopicArn"]
        inboxes[name] = sqs.create_queue(QueueName=f"inbox-{name}{suffix}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=inboxes[name], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=topics[name], Protocol="sqs", Endpoint=arn, Attributes=raw)
    environ = {
        **variables,
        "SUBMISSIONS_TABLE": SUBMISSIONS + suffix,
        "EVENTS_TABLE": EVENTS + suffix,
        "DELIVERIES_TABLE": DELIVERIES + suffix,
        "ENDPOINTS_TABLE": ENDPOINTS + suffix,
        "SUBMISSIONS_TOPIC_ARN": topics["submissions"],
        "OPERATIONS_TOPIC_ARN": topics["operations"],
        "FAILURE_QUEUE_URL": sqs.create_queue(QueueName=f"failures{suffix}")["QueueUrl"],
        "DELIVERY_QUEUE_URL": sqs.create_queue(QueueName=f"deliveries{suffix}")["QueueUrl"],
        "SECRETS_KEY_ARN": key_arn,
        "WEBHOOK_URLS": ",".join(urls),
        "RETENTION_DAYS": "30",
        "ATTEMPT_DEADLINE_SECONDS": "15",
        "DISABLE_AFTER_DAYS": "5",
        "ALLOW_HTTP_ENDPOINTS": "true",
        "ALLOW_PRIVATE_ENDPOINTS": "true",
    }
    return World(
        killer,
        environ,
        sqs,
        EndpointsTable(dynamodb, environ["ENDPOINTS_TABLE"]),
        DeliveriesTable(dynamodb, environ["DELIVERIES_TABLE"]),
        EventsTable(dynamodb, environ["EVENTS_TABLE"]),
        SecretsKey(kms, key_arn),
        inboxes,
    )


@pytest.fixture
def start(cloud: Cloud, killer: Killer) -> Start:
    return partial(fresh_world, cloud, killer)


def at_each_side_effect(run: Callable[[int], bool], *, at_least: int) -> None:
    """Call ``run`` with 1, 2, … until it reports that nothing was killed, because no side effect is left."""
    for place in range(1, MOST_SIDE_EFFECTS + 1):
        if not run(place):
            assert place > at_least, "there are fewer side effects than there must be"
            return
    pytest.fail("it never came to its end")


@BOTH
def test_dispatch(start: Start, *, after: bool) -> None:
    """Two events for two endpoints, which are created by the way."""
    batch = sample_batch()
    ids = set(ids_of(batch).values())

    def run(place: int) -> bool:
        world = start("https://one.test/hook", "https://two.test/hook")
        killed = world.invoke("dispatch", batch, kill_at=place, after=after)
        world.invoke("dispatch", batch)
        endpoints = {each.endpoint_id for each in world.endpoints.list_all()}
        assert len(endpoints) == 2
        expected = {(endpoint_id, event_id) for endpoint_id in endpoints for event_id in ids}
        published = world.inbox("submissions")
        assert {each["id"] for each in published} == ids
        assert len({json.dumps(each) for each in published}) == 2, "what comes twice is the same"
        assert {(each.endpoint_id, each.event_id) for each in world.deliveries.every()} == expected
        queued = [json.loads(body) for body in world.taken(world.environ["DELIVERY_QUEUE_URL"])]
        assert {(each["endpoint_id"], each["event_id"]) for each in queued} == expected
        assert {each["attempt"] for each in queued} == {1}
        return killed

    # Two endpoints sealed and stored; two events, four deliveries, messages, publication, two marks.
    at_each_side_effect(run, at_least=14)


def deliver_case(
    start: Start,
    steps: tuple[Step, ...],
    prepare: Callable[[World, Endpoint], list[str]],
    *,
    after: bool,
    at_least: int,
) -> None:
    """One invocation is killed at each of its side effects; in the end each event arrived only under its own id."""

    def run(place: int) -> bool:
        with scripted_server(*steps) as receiver:
            world = start()
            endpoint = world.endpoint(receiver.url)
            bodies = prepare(world, endpoint)
            killed = world.bring(*bodies, kill_at=place, after=after)
            # SQS brings the batch again, since nobody said that it was done.
            world.bring(*bodies)
            world.run_until_delivered(until_s=4 * REQUEUE_AFTER_S)
            deliveries = list(world.deliveries.every())
            came = [request.headers["webhook-id"] for request in receiver.requests]
        assert {each.status for each in deliveries} == {DeliveryStatus.DELIVERED}
        assert set(came) == {each.event_id for each in deliveries}
        assert all(came.count(each.event_id) <= each.attempts for each in deliveries)
        assert world.deliveries.backlog_summary(endpoint.endpoint_id).waiting == 0
        return killed

    at_each_side_effect(run, at_least=at_least)


@BOTH
def test_deliver_to_a_healthy_receiver(start: Start, *, after: bool) -> None:
    def prepare(world: World, endpoint: Endpoint) -> list[str]:
        return [body_of(world.delivery(endpoint, nth)) for nth in (1, 2)]

    # Of each: claim, request, record; and the endpoint's health.
    deliver_case(start, (answer(),), prepare, after=after, at_least=7)


@BOTH
def test_deliver_to_a_receiver_that_fails_first(start: Start, *, after: bool) -> None:
    def prepare(world: World, endpoint: Endpoint) -> list[str]:
        return [body_of(world.delivery(endpoint, 1))]

    steps = (answer("", "500 Internal Server Error"), answer())
    # Claim, request, record, health, and the message of the second attempt.
    deliver_case(start, steps, prepare, after=after, at_least=5)


@BOTH
def test_deliver_to_a_recovered_receiver(start: Start, *, after: bool) -> None:
    """The attempt that succeeds brings forward the two waiting deliveries."""

    def prepare(world: World, endpoint: Endpoint) -> list[str]:
        for nth in (1, 2):
            world.delivery(endpoint, nth, DeliveryStatus.WAITING)
        for _ in range(DOWN_AFTER_FAILURES):
            world.endpoints.record_outcome(endpoint.endpoint_id, int(time.time()), "answered 500")
        return [body_of(world.delivery(endpoint, 3))]

    # The probe, claim, request, record, health, two brought forward, and their messages.
    deliver_case(start, (answer(),), prepare, after=after, at_least=8)


@BOTH
def test_deliver_to_a_receiver_that_responds_with_410(start: Start, *, after: bool) -> None:
    """In the end the endpoint is disabled, the operators are notified, and its event waits."""

    def run(place: int) -> bool:
        with scripted_server(answer("", "410 Gone")) as receiver:
            world = start()
            endpoint = world.endpoint(receiver.url)
            body = body_of(world.delivery(endpoint, 1))
            killed = world.bring(body, kill_at=place, after=after)
            world.bring(body)
            world.run_until_delivered(until_s=3 * REQUEUE_AFTER_S)
        stored = world.endpoints.get(endpoint.endpoint_id)
        assert stored is not None
        assert not stored.is_enabled
        notices = [each for each in world.inbox("operations") if each["type"] == "endpoint.disabled"]
        assert len({each["id"] for each in notices}) == 1
        assert world.deliveries.backlog_summary(endpoint.endpoint_id).waiting == 1
        return killed

    at_each_side_effect(run, at_least=5)


@BOTH
def test_retry(start: Start, *, after: bool) -> None:
    """Two deliveries are due, an endpoint needs a warning, and the stack's own endpoint is created."""

    def run(place: int) -> bool:
        world = start("https://one.test/hook")
        failing, due = world.endpoint("http://127.0.0.1:9/failing"), world.endpoint("http://127.0.0.1:9/due")
        for nth in (1, 2):
            world.delivery(due, nth)
        now = int(time.time())
        for at in (now - WARN_AFTER_S, now - 10, now):
            world.endpoints.record_outcome(failing.endpoint_id, at, "answered 500 Internal Server Error")
        killed = world.invoke("retry", TICK, ahead_s=REQUEUE_AFTER_S + 1, kill_at=place, after=after)
        for tick in (2, 3):
            world.invoke("retry", TICK, ahead_s=tick * (REQUEUE_AFTER_S + 1))
        queued = [json.loads(body) for body in world.taken(world.environ["DELIVERY_QUEUE_URL"])]
        assert {(each["event_id"], each["attempt"]) for each in queued} == {(f"evt_{nth:032x}", 1) for nth in (1, 2)}
        notices = world.inbox("operations")
        assert {each["type"] for each in notices} == {"endpoint.failing"}
        assert len({each["id"] for each in notices}) == 1
        assert len(world.endpoints.list_all()) == 3
        return killed

    # Sealed and stored; warned, published, taken away; two postponed, and their messages.
    at_each_side_effect(run, at_least=8)
