"""Builds Retry."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import boto3
from botocore.config import Config

from examhook.destinations.delivery_queue import DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.sns import TopicPublisher
from examhook.settings import RetrySettings
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.workflows.retrying.backlog import Backlog
from examhook.workflows.retrying.endpoint_watch import EndpointWatch
from examhook.workflows.retrying.retry import RetryDeliveries

_CLIENT_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=10
)


def build_retry(environ: Mapping[str, str], now: Callable[[], float] | None = None) -> RetryDeliveries:
    """Build Retry from ``environ``; raises SettingsError."""
    settings, now = RetrySettings.read(environ), now or time.time
    dynamodb = boto3.client("dynamodb", config=_CLIENT_CONFIG)
    queue = DeliveryQueue(boto3.client("sqs", config=_CLIENT_CONFIG), settings.delivery_queue_url)
    endpoints = EndpointsTable(dynamodb, settings.endpoints_table)
    deliveries = DeliveriesTable(dynamodb, settings.deliveries_table)
    return RetryDeliveries(
        endpoints,
        Backlog(deliveries, queue, now),
        EndpointWatch(
            endpoints,
            deliveries,
            TopicPublisher(boto3.client("sns", config=_CLIENT_CONFIG)),
            settings.operations_topic_arn,
            settings.disable_after_s,
            now,
        ),
        SecretsKey(boto3.client("kms", config=_CLIENT_CONFIG), settings.secrets_key_arn),
        settings.webhook_urls,
        now,
    )
