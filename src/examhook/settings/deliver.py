"""What Deliver is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook.settings.reading import SettingsReader


@dataclass(frozen=True, slots=True)
class DeliverSettings:
    """Settings of Deliver."""

    events_table: str
    deliveries_table: str
    endpoints_table: str
    delivery_queue_url: str
    secrets_key_arn: str
    retention_days: int
    attempt_deadline_s: float
    """Seconds from name look-up to the last byte of the answer."""
    allow_http_endpoints: bool = field(default=False)
    allow_private_endpoints: bool = field(default=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> DeliverSettings:
        """Settings from environment variables; raises SettingsError."""
        reader = SettingsReader(environ)
        settings = cls(
            events_table=reader.text("EVENTS_TABLE"),
            deliveries_table=reader.text("DELIVERIES_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            delivery_queue_url=reader.text("DELIVERY_QUEUE_URL"),
            secrets_key_arn=reader.text("SECRETS_KEY_ARN"),
            retention_days=int(reader.number("RETENTION_DAYS", 1, 365)),
            attempt_deadline_s=reader.number("ATTEMPT_DEADLINE_SECONDS", 1, 30),
            allow_http_endpoints=reader.flag("ALLOW_HTTP_ENDPOINTS"),
            allow_private_endpoints=reader.flag("ALLOW_PRIVATE_ENDPOINTS"),
        )
        reader.finish()
        return settings
