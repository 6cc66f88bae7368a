"""What Links is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.settings.account import Dialect, base_url_for, parse_base_url
from examhook.settings.reading import SettingsReader


@dataclass(frozen=True, slots=True)
class LinksSettings:
    """Settings of Links."""

    account: str
    base_url: str
    dialect: Dialect
    account_code_secret_arn: str
    requests_per_second: float
    events_table: str
    exams_table: str
    accounts_secret_arn: str = ""
    """The secret that lists further accounts; empty where there are none."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> LinksSettings:
        """Settings from environment variables; raises SettingsError."""
        reader = SettingsReader(environ)
        dialect = reader.get("PROVIDER_DIALECT", Dialect, "legacy or v1", Dialect.LEGACY)
        base_url = reader.get("PROVIDER_BASE_URL", parse_base_url, "an http:// or https:// address", "")
        settings = cls(
            account=reader.text("ACCOUNT_NAME"),
            base_url=base_url_for(dialect, base_url),
            dialect=dialect,
            account_code_secret_arn=reader.text("ACCOUNT_CODE_SECRET_ARN"),
            requests_per_second=reader.number("REQUESTS_PER_SECOND", 0.1, 10),
            events_table=reader.text("EVENTS_TABLE"),
            exams_table=reader.text("EXAMS_TABLE"),
            accounts_secret_arn=environ.get("ACCOUNTS_SECRET_ARN", "").strip(),
        )
        reader.finish()
        return settings
