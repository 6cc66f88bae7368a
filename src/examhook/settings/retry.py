"""What Retry is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.settings.reading import SettingsReader

_DAY_S = 86_400


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
    """An endpoint that does nothing but fail for so long is disabled."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> RetrySettings:
        """Settings from environment variables; raises SettingsError."""
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
