"""Settings of the functions that send events: Dispatch, Deliver and Retry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.settings.reader import SettingsReader

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """Settings of Dispatch."""

    submissions_table: str
    events_table: str
    deliveries_table: str
    endpoints_table: str
    submissions_topic_arn: str
    failure_queue_url: str
    """Queue for stream batches that Dispatch failed to process, and for the rest of an unfinished redrive."""
    delivery_queue_url: str
    secrets_key_arn: str
    webhook_urls: tuple[str, ...]
    retention_days: int
    event_bus: str = ""
    """Name or ARN of an additional EventBridge bus; empty for none."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> DispatchSettings:
        """Read environment variables; raises SettingsError."""
        reader = SettingsReader(environ)
        settings = cls(
            submissions_table=reader.text("SUBMISSIONS_TABLE"),
            events_table=reader.text("EVENTS_TABLE"),
            deliveries_table=reader.text("DELIVERIES_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            submissions_topic_arn=reader.text("SUBMISSIONS_TOPIC_ARN"),
            failure_queue_url=reader.text("FAILURE_QUEUE_URL"),
            delivery_queue_url=reader.text("DELIVERY_QUEUE_URL"),
            secrets_key_arn=reader.text("SECRETS_KEY_ARN"),
            webhook_urls=reader.comma_list("WEBHOOK_URLS"),
            retention_days=int(reader.number("RETENTION_DAYS", 1, 365)),
            event_bus=reader.optional_text("EVENT_BUS"),
        )
        reader.finish()
        return settings


@dataclass(frozen=True, slots=True)
class DeliverSettings:
    """Settings of Deliver."""

    events_table: str
    deliveries_table: str
    endpoints_table: str
    delivery_queue_url: str
    secrets_key_arn: str
    attempt_deadline_s: float
    """Maximum duration of an attempt, from the DNS lookup to the last byte of the response."""
    allow_http_endpoints: bool
    allow_private_endpoints: bool

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> DeliverSettings:
        """Read environment variables; raises SettingsError."""
        reader = SettingsReader(environ)
        settings = cls(
            events_table=reader.text("EVENTS_TABLE"),
            deliveries_table=reader.text("DELIVERIES_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            delivery_queue_url=reader.text("DELIVERY_QUEUE_URL"),
            secrets_key_arn=reader.text("SECRETS_KEY_ARN"),
            attempt_deadline_s=reader.number("ATTEMPT_DEADLINE_SECONDS", 1, 30),
            allow_http_endpoints=reader.flag("ALLOW_HTTP_ENDPOINTS"),
            allow_private_endpoints=reader.flag("ALLOW_PRIVATE_ENDPOINTS"),
        )
        reader.finish()
        return settings


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """Settings of Retry."""

    deliveries_table: str
    endpoints_table: str
    delivery_queue_url: str
    secrets_key_arn: str
    webhook_urls: tuple[str, ...]
    operations_topic_arn: str
    disable_after_s: int
    """Time without a successful attempt after which Retry disables a failing endpoint."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> RetrySettings:
        """Read environment variables; raises SettingsError."""
        reader = SettingsReader(environ)
        settings = cls(
            deliveries_table=reader.text("DELIVERIES_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            delivery_queue_url=reader.text("DELIVERY_QUEUE_URL"),
            secrets_key_arn=reader.text("SECRETS_KEY_ARN"),
            webhook_urls=reader.comma_list("WEBHOOK_URLS"),
            operations_topic_arn=reader.text("OPERATIONS_TOPIC_ARN"),
            disable_after_s=int(reader.number("DISABLE_AFTER_DAYS", 1, 30) * _DAY_S),
        )
        reader.finish()
        return settings
