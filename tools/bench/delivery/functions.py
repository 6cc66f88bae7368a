"""Dispatch, Deliver and Retry, either as their functions build them or with tables in memory."""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import boto3

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.destinations.delivery_queue import DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.sns import TopicPublisher
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.events.build import Event
from examhook.storage.batch_loader import BatchLoader
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventLinks, EventsTable
from examhook.wiring.deliver import build_deliver
from examhook.wiring.dispatch import build_dispatch
from examhook.wiring.retry import build_retry
from examhook.workflows.delivering.deliver import DeliverWebhooks
from examhook.workflows.dispatching.dispatch import Dispatch
from examhook.workflows.retrying.backlog import Backlog
from examhook.workflows.retrying.endpoint_watch import EndpointWatch
from examhook.workflows.retrying.retry import RetryDeliveries
from tools.bench.delivery.tables_in_memory import (
    MemoryBatchLoader,
    MemoryDeliveries,
    MemoryEndpoints,
    MemoryEvents,
    MemoryLinks,
    MemoryQueue,
)

_DEADLINE_S = 15
_DISABLE_AFTER_S = 5 * 86_400
_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True, slots=True)
class Functions:
    """The three functions and their queue."""

    dispatch: Dispatch
    deliver: DeliverWebhooks
    retry: RetryDeliveries
    queue: DeliveryQueue


class _OpenKey:
    def open(self, endpoint_id: str, sealed: bytes) -> str:  # noqa: ARG002 - signature of SecretsKey
        return _SECRET


class _NoTopic:
    def publish_submission_events(self, topic_arn: str, events: Sequence[Event]) -> None:
        """Publish nothing."""

    def publish_operations(self, topic_arn: str, event: Event) -> None:
        """Publish nothing."""


def on_aws(now: Callable[[], float]) -> Functions:
    """Build the functions from the environment."""
    queue = DeliveryQueue(boto3.client("sqs"), os.environ["DELIVERY_QUEUE_URL"])
    return Functions(
        build_dispatch(os.environ, now).dispatch, build_deliver(os.environ, now), build_retry(os.environ, now), queue
    )


def in_memory(urls: Sequence[str], now: Callable[[], float]) -> Functions:
    """Build the functions with tables in memory and one endpoint per URL."""
    made = [Endpoint(f"ep_{number}", url, b"", EndpointOrigin.CLI, number) for number, url in enumerate(urls)]
    memory_endpoints, memory_events = MemoryEndpoints({each.endpoint_id: each for each in made}), MemoryEvents()
    memory_deliveries = MemoryDeliveries()
    queue, key = cast("DeliveryQueue", MemoryQueue(now)), cast("SecretsKey", _OpenKey())
    endpoints, deliveries = cast("EndpointsTable", memory_endpoints), cast("DeliveriesTable", memory_deliveries)
    topic, events = cast("TopicPublisher", _NoTopic()), cast("EventsTable", memory_events)
    return Functions(
        Dispatch(events, deliveries, queue, topic, "", endpoints.list_all, retention_days=30, now=now),
        deliver_in_memory(memory_deliveries, memory_endpoints, memory_events, queue, now),
        RetryDeliveries(
            endpoints,
            Backlog(deliveries, queue, now),
            EndpointWatch(endpoints, deliveries, topic, "", _DISABLE_AFTER_S, now),
            key,
            (),
            now,
        ),
        queue,
    )


def deliver_in_memory(
    deliveries: MemoryDeliveries,
    endpoints: MemoryEndpoints,
    events: MemoryEvents,
    queue: DeliveryQueue,
    now: Callable[[], float],
) -> DeliverWebhooks:
    """Build Deliver with tables in memory."""
    links = MemoryLinks(events)
    return DeliverWebhooks(
        cast("DeliveriesTable", deliveries),
        cast("EndpointsTable", endpoints),
        cast("EventLinks", links),
        cast("BatchLoader", MemoryBatchLoader(endpoints, links)),
        WebhookSender(guarded_client(allow_private=True), allow_http=True, allow_private=True),
        cast("SecretsKey", _OpenKey()),
        queue,
        now=now,
        rng=random.Random(7),  # noqa: S311 - jitter
        deadline_s=_DEADLINE_S,
        sleep=lambda _seconds: None,
    )
