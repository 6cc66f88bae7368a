"""Builds Dispatch and its redrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from examhook.storage.submission_outbox import SubmissionScan
from examhook.workflows.administration.endpoints import ensure_configured_endpoints
from examhook.workflows.administration.redrive import Redrive
from examhook.workflows.dispatching.dispatch import Dispatch

_CLIENT_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})
"""Short timeouts let a batch retry several times within the function's 120 s."""


@dataclass(frozen=True, slots=True)
class DispatchFunction:
    """The use cases of one process of the function, which share their clients."""

    dispatch: Dispatch
    redrive: Redrive
    failures: RedriveQueue


def build_dispatch(environ: Mapping[str, str], now: Callable[[], float] = time.time) -> DispatchFunction:
    """Build Dispatch from ``environ``; raises SettingsError."""
    settings = DispatchSettings.read(environ)
    dynamodb, sqs = boto3.client("dynamodb", config=_CLIENT_CONFIG), boto3.client("sqs", config=_CLIENT_CONFIG)
    dispatch = Dispatch(
        events=EventsTable(dynamodb, settings.events_table),
        deliveries=DeliveriesTable(dynamodb, settings.deliveries_table),
        queue=DeliveryQueue(sqs, settings.delivery_queue_url),
        publisher=TopicPublisher(boto3.client("sns", config=_CLIENT_CONFIG)),
        topic_arn=settings.submissions_topic_arn,
        endpoints=partial(
            ensure_configured_endpoints,
            settings.webhook_urls,
            EndpointsTable(dynamodb, settings.endpoints_table),
            SecretsKey(boto3.client("kms", config=_CLIENT_CONFIG), settings.secrets_key_arn),
            now,
        ),
        retention_days=settings.retention_days,
        now=now,
        # Loading the model of this client takes time, so build it only if there is a bus.
        bus=_bus(settings.event_bus, now) if settings.event_bus else None,
    )
    return DispatchFunction(
        dispatch,
        Redrive(dispatch, SubmissionScan(dynamodb, settings.submissions_table), time.monotonic),
        RedriveQueue(sqs, settings.failure_queue_url),
    )


def _bus(name: str, now: Callable[[], float]) -> BusPublisher:
    return BusPublisher(boto3.client("events", config=_CLIENT_CONFIG), name, now)
