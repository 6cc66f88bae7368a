"""What Dispatch works with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial

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
from examhook.storage.submission_scan import SubmissionScan
from examhook.workflows.dispatch import Dispatch
from examhook.workflows.endpoints import ensure_configured_endpoints
from examhook.workflows.redrive import Redrive

_CALLS = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})
"""Short enough that a batch meets an outage several times over within the function's two minutes."""


def open_redrive() -> tuple[Redrive, RedriveQueue]:
    """Redrive as the environment sets it up, and the queue that it goes on by; raises SettingsError."""
    settings = DispatchSettings.read(os.environ)
    dynamodb = boto3.client("dynamodb", config=_CALLS)
    scan = SubmissionScan(dynamodb, settings.submissions_table)
    queue = RedriveQueue(boto3.client("sqs", config=_CALLS), settings.failure_queue_url)
    return Redrive(_dispatch(settings, time.time), scan, time.monotonic), queue


def open_dispatch(now: Callable[[], float] | None = None) -> Dispatch:
    """Dispatch as the environment sets it up; raises SettingsError. ``now`` stands in for the clock."""
    return _dispatch(DispatchSettings.read(os.environ), now or time.time)


def _dispatch(settings: DispatchSettings, now: Callable[[], float]) -> Dispatch:
    dynamodb = boto3.client("dynamodb", config=_CALLS)
    return Dispatch(
        events=EventsTable(dynamodb, settings.events_table),
        deliveries=DeliveriesTable(dynamodb, settings.deliveries_table),
        queue=DeliveryQueue(boto3.client("sqs", config=_CALLS), settings.delivery_queue_url),
        publisher=TopicPublisher(boto3.client("sns", config=_CALLS)),
        topic_arn=settings.submissions_topic_arn,
        enabled_endpoints=partial(
            ensure_configured_endpoints,
            settings.webhook_urls,
            EndpointsTable(dynamodb, settings.endpoints_table),
            SecretsKey(boto3.client("kms", config=_CALLS), settings.secrets_key_arn),
            now,
        ),
        retention_days=settings.retention_days,
        now=now,
        # The client is made only where it is used: its model takes time to load.
        bus=_bus(settings.event_bus) if settings.event_bus else None,
    )


def _bus(name: str) -> BusPublisher:
    return BusPublisher(boto3.client("events", config=_CALLS), name, time.monotonic)
