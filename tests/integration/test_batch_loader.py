"""The endpoints and events of a batch are read by one request, and each alone where that failed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from examhook.delivery.rate_limit import ENDPOINT_CONCURRENCY
from examhook.destinations.delivery_queue import DeliveryMessage, body_of
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.storage.batch_loader import BatchLoader
from examhook.storage.erasure import CandidateEvents
from examhook.workflows.delivering.batch_runner import MAX_ATTEMPTS_AT_ONCE, BatchRunner, QueuedMessage
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome
from tests.support.aws.api_calls import API_CALL, api_call
from tests.support.delivery.delivery_stack import REGION, World
from tests.support.delivery.scripted_server import answer, scripted_server
from tests.support.storage.tables import ENDPOINTS, EVENTS

READS = {"BatchGetItem", "GetItem"}


def reads_of_a_round(world: World, batch: Sequence[DeliveryMessage], refused: str = "") -> Counter[str]:
    """One invocation that delivers all of ``batch``, where DynamoDB refuses operations named ``refused``."""
    asked: Counter[str] = Counter()
    made = api_call()

    def call(client: BaseClient, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if operation in READS:
            asked[operation] += 1
        if operation == refused:
            raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, operation)
        return made(client, operation, params)

    outcomes: list[DeliverReport | BaseException] = []
    messages = [QueuedMessage(f"m{number}", body_of(message)) for number, message in enumerate(batch)]
    session = guarded_client(allow_private=True)
    deliver = world.deliver_by(WebhookSender(session, allow_http=True, allow_private=True))
    with patch.object(BaseClient, API_CALL, call), ThreadPoolExecutor(MAX_ATTEMPTS_AT_ONCE + 1) as pool:
        BatchRunner(deliver, world.queue, time.monotonic, lambda _, each: outcomes.append(each), pool).run(messages)
    session.close()
    told = [each.outcome if isinstance(each, DeliverReport) else each for each in outcomes]
    assert told == [MessageOutcome.DELIVERED] * len(batch)
    return asked


def test_a_batch_costs_one_read(world: World) -> None:
    with scripted_server(answer()) as receiver:
        one, _ = world.endpoint(receiver.url)
        other, _ = world.endpoint(receiver.url)
        batch = [
            world.delivery(endpoint, nth) for endpoint in (one, other) for nth in range(1, 1 + ENDPOINT_CONCURRENCY)
        ]
        assert reads_of_a_round(world, batch) == {"BatchGetItem": 1}


def test_what_waited_in_its_round_is_read_when_its_turn_comes(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        batch = [world.delivery(endpoint, nth) for nth in range(1, 1 + ENDPOINT_CONCURRENCY + 2)]
        assert reads_of_a_round(world, batch) == {"BatchGetItem": 1, "GetItem": 4}


def test_where_the_common_read_is_refused_each_reads_alone(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        batch = [world.delivery(endpoint, nth) for nth in (1, 2)]
        assert reads_of_a_round(world, batch, refused="BatchGetItem") == {"BatchGetItem": 1, "GetItem": 4}


def test_it_finds_what_reading_each_alone_finds(world: World) -> None:
    endpoint, _ = world.endpoint("http://receiver.test/")
    event, erased = world.event(1), world.event(2)
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    CandidateEvents(dynamodb, EVENTS).erase(erased.event_id, "hash", int(world.clock.at))
    endpoint_ids, event_ids = [endpoint.endpoint_id, "ep_gone"], [event.event_id, erased.event_id, "evt_gone"]
    found = world.batch_loader.read([*endpoint_ids, *endpoint_ids], [*event_ids, *event_ids])
    assert found.endpoints == {each: world.endpoints.get(each) for each in endpoint_ids}
    assert found.events == {each: world.links.get(each) for each in event_ids}
    assert [found.endpoints["ep_gone"], found.events[erased.event_id], found.events["evt_gone"]] == [None] * 3
    assert found.events[event.event_id] is not None


def test_what_was_not_read_is_not_taken_for_gone(world: World) -> None:
    """DynamoDB answers a part when it is busy; an item of another version speaks for itself when read alone."""
    endpoint, _ = world.endpoint("http://receiver.test/")
    event, strange = world.event(1), world.event(2)
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    dynamodb.update_item(
        TableName=EVENTS,
        Key={"event_id": {"S": strange.event_id}},
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"N": "2"}},
    )
    unread = {
        ENDPOINTS: {"Keys": [{"endpoint_id": {"S": endpoint.endpoint_id}}]},
        EVENTS: {"Keys": [{"event_id": {"S": event.event_id}}]},
    }
    ordinary = dynamodb.batch_get_item

    def busy(**asked: Any) -> Any:
        given = ordinary(**asked)
        items = [each for each in given["Responses"][EVENTS] if each["event_id"]["S"] != event.event_id]
        return {"Responses": {EVENTS: items}, "UnprocessedKeys": unread}

    with patch.object(dynamodb, "batch_get_item", busy):
        found = BatchLoader(dynamodb, ENDPOINTS, EVENTS).read(
            [endpoint.endpoint_id], [event.event_id, strange.event_id, "evt_gone"]
        )
    assert found.endpoints == {}
    assert found.events == {"evt_gone": None}
    assert found.endpoint(endpoint.endpoint_id, world.endpoints.get) == endpoint
    assert found.event("evt_gone", world.links.get) is None


def test_a_second_of_successes_is_written_down_once_and_a_failure_between_them_ended(world: World) -> None:
    with scripted_server(answer(), answer(), answer("", "500 Internal Server Error"), answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        messages = [world.delivery(endpoint, nth) for nth in range(1, 5)]
        known = world.batch_loader.read([endpoint.endpoint_id], [each.event_id for each in messages])
        session = guarded_client(allow_private=True)
        deliver = world.deliver_by(WebhookSender(session, allow_http=True, allow_private=True))
        with patch.object(world.endpoints, "record_outcome", wraps=world.endpoints.record_outcome) as written:
            for message in messages:
                deliver.process(message, known)
        session.close()
    assert [call.args[2] is None for call in written.call_args_list] == [True, False, True]
    assert world.known(endpoint).health == replace(
        world.known(endpoint).health, failing_since=None, consecutive_failures=0, last_success_at=int(world.clock.at)
    )
