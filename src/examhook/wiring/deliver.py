"""Builds Deliver."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

import boto3
from botocore.config import Config

from examhook.destinations.delivery_queue import DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.settings import DeliverSettings
from examhook.storage.batch_loader import BatchLoader
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventLinks
from examhook.workflows.delivering.deliver import DeliverWebhooks

_CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=40,
)


def build_deliver(environ: Mapping[str, str], now: Callable[[], float] | None = None) -> DeliverWebhooks:
    """Build Deliver from ``environ``; raises SettingsError."""
    settings = DeliverSettings.read(environ)
    dynamodb = boto3.client("dynamodb", config=_CLIENT_CONFIG)
    return DeliverWebhooks(
        deliveries=DeliveriesTable(dynamodb, settings.deliveries_table),
        endpoints=EndpointsTable(dynamodb, settings.endpoints_table),
        events=EventLinks(dynamodb, settings.events_table),
        batch_loader=BatchLoader(dynamodb, settings.endpoints_table, settings.events_table),
        sender=WebhookSender(
            guarded_client(allow_private=settings.allow_private_endpoints),
            allow_http=settings.allow_http_endpoints,
            allow_private=settings.allow_private_endpoints,
        ),
        key=SecretsKey(boto3.client("kms", config=_CLIENT_CONFIG), settings.secrets_key_arn),
        queue=DeliveryQueue(boto3.client("sqs", config=_CLIENT_CONFIG), settings.delivery_queue_url),
        now=now or time.time,
        rng=random.Random(),  # noqa: S311 - jitter, not cryptography
        deadline_s=settings.attempt_deadline_s,
    )
