"""Dispatch, Deliver and Retry: as their functions build them, or on tables that answer from memory."""

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
from examhook.wiring.deliver import deliver
from examhook.wiring.dispatch import open_dispatch
from examhook.wiring.retry import retry
from examhook.workflows.delivering.deliver import Channels, DeliverWebhooks, Stores
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
    """The three, and the queue between them."""

    dispatch: Dispatch
    deliver: DeliverWebhooks
    retry: RetryDeliveries
    queue: DeliveryQueue


class OpenKey:
    """In place of SecretsKey: nothing is sealed."""

    def open(self, endpoint_id: str, sealed: bytes) -> str:  # noqa: ARG002 - as the key has it
        """The one secret."""
        return _SECRET


class _NoTopic:
    def publish_submission_events(self, topic_arn: str, events: Sequence[Event]) -> None:
        """Nobody subscribes."""

    def publish_operations(self, topic_arn: str, event: Event) -> None:
        """Nobody subscribes."""


def on_aws(now: Callable[[], float]) -> Functions:
    """As the environment says."""
    queue = DeliveryQueue(boto3.client("sqs"), os.environ["DELIVERY_QUEUE_URL"])
    return Functions(open_dispatch(now).dispatch, deliver(os.environ, now), retry(os.environ, now), queue)


def in_memory(urls: Sequence[str], now: Callable[[], float]) -> Functions:
    """With an endpoint for each of ``urls``."""
    made = [Endpoint(f"ep_{number}", url, b"", EndpointOrigin.CLI, number) for number, url in enumerate(urls)]
    held, kept = MemoryEndpoints({each.endpoint_id: each for each in made}), MemoryEvents()
    endpoints, links = cast("EndpointsTable", held), MemoryLinks(kept)
    deliveries, events = cast("DeliveriesTable", MemoryDeliveries()), cast("EventsTable", kept)
    queue, key = cast("DeliveryQueue", MemoryQueue(now)), cast("SecretsKey", OpenKey())
    topic = cast("TopicPublisher", _NoTopic())
    sender = WebhookSender(guarded_client(allow_private=True), allow_http=True, allow_private=True)
    return Functions(
        Dispatch(events, deliveries, queue, topic, "", endpoints.list_all, retention_days=30, now=now),
        DeliverWebhooks(
            Stores(
                deliveries, endpoints, cast("EventLinks", links), cast("BatchLoader", MemoryBatchLoader(held, links))
            ),
            Channels(sender, key, queue),
            now=now,
            rng=random.Random(7),  # noqa: S311 - jitter
            deadline_s=_DEADLINE_S,
            sleep=lambda _seconds: None,
        ),
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
