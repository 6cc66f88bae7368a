"""What Dispatch works with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from examhook.destinations.delivery_queue import DeliveryQueue
from examhook.destinations.event_bus import BusPublisher
from examhook.destinations.redrive_queue import RedriveQueue
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.sns import TopicPublisher
from examhook.settings import DispatchSettings
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventsTable
from examhook.storage.submission_outbox import SubmissionScan
from examhook.workflows.administration.endpoints import ensure_configured_endpoints
from examhook.workflows.administration.redrive import Redrive
from examhook.workflows.dispatching.dispatch import Dispatch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_CALLS = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})
"""Short enough that a batch meets an outage several times over within the function's two minutes."""


@dataclass(frozen=True, slots=True)
class DispatchFunction:
    """What one process of the function works with; the stream's way and that of repairs share their clients."""

    dispatch: Dispatch
    redrive: Redrive
    failures: RedriveQueue
    """Where batches that the stream gave up on arrive, and by which a long redrive goes on."""


def open_dispatch(now: Callable[[], float] = time.time) -> DispatchFunction:
    """Dispatch as the environment sets it up; raises SettingsError. ``now`` stands in for the clock."""
    settings = DispatchSettings.read(os.environ)
    dynamodb, sqs = boto3.client("dynamodb", config=_CALLS), boto3.client("sqs", config=_CALLS)
    dispatch = _dispatch(settings, dynamodb, sqs, now)
    return DispatchFunction(
        dispatch,
        Redrive(dispatch, SubmissionScan(dynamodb, settings.submissions_table), time.monotonic),
        RedriveQueue(sqs, settings.failure_queue_url),
    )


def _dispatch(
    settings: DispatchSettings, dynamodb: DynamoDBClient, sqs: SQSClient, now: Callable[[], float]
) -> Dispatch:
    return Dispatch(
        events=EventsTable(dynamodb, settings.events_table),
        deliveries=DeliveriesTable(dynamodb, settings.deliveries_table),
        queue=DeliveryQueue(sqs, settings.delivery_queue_url),
        publisher=TopicPublisher(boto3.client("sns", config=_CALLS)),
        topic_arn=settings.submissions_topic_arn,
        endpoints=partial(
            ensure_configured_endpoints,
            settings.webhook_urls,
            EndpointsTable(dynamodb, settings.endpoints_table),
            SecretsKey(boto3.client("kms", config=_CALLS), settings.secrets_key_arn),
            now,
        ),
        retention_days=settings.retention_days,
        now=now,
        # The client is made only where it is used: its model takes time to load.
        bus=_bus(settings.event_bus, now) if settings.event_bus else None,
    )


def _bus(name: str, now: Callable[[], float]) -> BusPublisher:
    return BusPublisher(boto3.client("events", config=_CALLS), name, now)
