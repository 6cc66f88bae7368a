"""What Dispatch is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.settings.reading import SettingsReader


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """Settings of Dispatch."""

    submissions_table: str
    events_table: str
    deliveries_table: str
    endpoints_table: str
    submissions_topic_arn: str
    failure_queue_url: str
    """Where the stream puts what Dispatch could not process, and a redrive what it had no time for."""
    delivery_queue_url: str
    secrets_key_arn: str
    webhook_urls: tuple[str, ...]
    retention_days: int
    event_bus: str = ""
    """Name or ARN of the EventBridge bus that gets events besides; empty for none."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> DispatchSettings:
        """Settings from environment variables; raises SettingsError."""
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
            event_bus=environ.get("EVENT_BUS", "").strip(),
        )
        reader.finish()
        return settings
