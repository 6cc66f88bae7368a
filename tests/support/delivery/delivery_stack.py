"""Deliver and Retry with moto's AWS and real receivers on 127.0.0.1; tests move the clock."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import boto3
from moto import mock_aws

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import Delivery, new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue
from examhook.destinations.publishing import NotPublishedError, UnpublishedEvent
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.sns import TopicPublisher
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.events.build import Event, submission_event
from examhook.storage.batch_loader import BatchLoader
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventLinks, EventsTable
from examhook.workflows.administration.endpoints import add_endpoint
from examhook.workflows.delivering.deliver import DeliverWebhooks
from examhook.workflows.delivering.report import DeliverReport
from examhook.workflows.retrying.backlog import Backlog
from examhook.workflows.retrying.endpoint_watch import EndpointWatch
from examhook.workflows.retrying.retry import RetryDeliveries, RetryReport
from tests.support.events.model_values import attempt, submission, transition
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS, create_tables

REGION = "eu-central-1"
OPERATIONS_TOPIC = "arn:aws:sns:eu-central-1:123456789012:operations"
DAY_S = 86_400
MONTH_S = 30 * DAY_S


class Clock:
    """Starts now, because verifiers reject old signatures; moves only on request."""

    def __init__(self) -> None:
        self.at = float(int(time.time()))

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class RecordingQueue(DeliveryQueue):
    """The queue, which also records each message with its delay."""

    sent: list[tuple[DeliveryMessage, int]]

    def send(self, messages: Sequence[DeliveryMessage], delay_s: int = 0) -> None:
        super().send(messages, delay_s)
        self.sent += [(message, delay_s) for message in messages]


@dataclass
class Operators:
    """Records the notices to operators."""

    notices: list[Event] = field(default_factory=list)
    unreachable: bool = False

    def publish_operations(self, topic_arn: str, event: Event) -> None:
        assert topic_arn == OPERATIONS_TOPIC
        if self.unreachable:
            raise NotPublishedError("SNS", [UnpublishedEvent(event.event_id, "Throttled", sender_fault=False)])
        self.notices.append(event)


@dataclass
class World:
    """All parts, built as ``examhook.wiring`` builds them."""

    clock: Clock
    deliveries: DeliveriesTable
    endpoints: EndpointsTable
    events: EventsTable
    key: SecretsKey
    key_arn: str
    queue: RecordingQueue
    queue_url: str
    operators: Operators
    links: EventLinks
    batch_loader: BatchLoader

    def endpoint(self, url: str) -> tuple[Endpoint, str]:
        """A new endpoint and its secret."""
        return add_endpoint(url, self.endpoints, self.key, self.clock.now, allow_http=True, allow_private=True)

    def event(self, nth: int = 1) -> Event:
        """The ``nth`` of many events, stored; without a result link, which would have expired long ago."""
        made = submission_event(
            submission(attempt=attempt(result_url=None)), transition(event_id=f"evt_{nth:032x}", sequence=nth)
        )
        self.events.add(made, int(self.clock.at) + MONTH_S)
        return made

    def delivery(self, endpoint: Endpoint, nth: int = 1) -> DeliveryMessage:
        """A new delivery of the ``nth`` event, and the message for its first attempt."""
        event = self.event(nth)
        now = int(self.clock.at)
        self.deliveries.create(
            new_delivery(endpoint.endpoint_id, event.event_id, event.event_type, now=now, expires_at=now + MONTH_S)
        )
        return DeliveryMessage(endpoint.endpoint_id, event.event_id, 1)

    def stored(self, message: DeliveryMessage) -> Delivery:
        """The stored delivery of a message."""
        delivery = self.deliveries.get(message.endpoint_id, message.event_id)
        assert delivery is not None
        return delivery

    def known(self, endpoint: Endpoint) -> Endpoint:
        """A stored endpoint."""
        found = self.endpoints.get(endpoint.endpoint_id)
        assert found is not None
        return found

    def deliver(
        self, message: DeliveryMessage, *, allow_private: bool = True, deadline_s: float = 5.0
    ) -> DeliverReport:
        """Process one message."""
        session = guarded_client(allow_private=allow_private)
        try:
            sender = WebhookSender(session, allow_http=True, allow_private=True)
            return self.deliver_by(sender, deadline_s).process(message)
        finally:
            session.close()

    def deliver_by(self, sender: WebhookSender, deadline_s: float = 5.0) -> DeliverWebhooks:
        """Deliver with ``sender``."""
        return DeliverWebhooks(
            self.deliveries,
            self.endpoints,
            self.links,
            self.batch_loader,
            sender,
            self.key,
            self.queue,
            now=self.clock.now,
            rng=random.Random(7),
            deadline_s=deadline_s,
            sleep=self.clock.sleep,
        )

    def retry(self, webhook_urls: Sequence[str] = ()) -> RetryReport:
        """Run one tick."""
        return self.retrying(webhook_urls).run()

    def retrying(self, webhook_urls: Sequence[str] = ()) -> RetryDeliveries:
        """Retry itself."""
        backlog = Backlog(self.deliveries, self.queue, self.clock.now)
        watch = EndpointWatch(
            self.endpoints,
            self.deliveries,
            cast("TopicPublisher", self.operators),
            OPERATIONS_TOPIC,
            5 * DAY_S,
            self.clock.now,
        )
        return RetryDeliveries(self.endpoints, backlog, watch, self.key, webhook_urls, self.clock.now)

    def enqueued(self) -> list[tuple[DeliveryMessage, int]]:
        """Messages enqueued since the last call, with their delays in seconds."""
        sent, self.queue.sent = self.queue.sent, []
        return sent


@contextmanager
def delivery_world() -> Iterator[World]:
    """A new world."""
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        create_tables(dynamodb)
        kms = boto3.client("kms", region_name=REGION)
        key_arn = kms.create_key()["KeyMetadata"]["Arn"]
        sqs = boto3.client("sqs", region_name=REGION)
        queue_url = sqs.create_queue(QueueName="delivery")["QueueUrl"]
        queue = RecordingQueue(sqs, queue_url)
        queue.sent = []
        yield World(
            clock=Clock(),
            deliveries=DeliveriesTable(dynamodb, DELIVERIES),
            endpoints=EndpointsTable(dynamodb, ENDPOINTS),
            events=EventsTable(dynamodb, EVENTS),
            key=SecretsKey(kms, key_arn),
            key_arn=key_arn,
            queue=queue,
            queue_url=queue_url,
            operators=Operators(),
            links=EventLinks(dynamodb, EVENTS),
            batch_loader=BatchLoader(dynamodb, ENDPOINTS, EVENTS),
        )
