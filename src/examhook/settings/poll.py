"""Settings of Poll, and the values that each further account may override."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from examhook.detection.intervals import MINUTE_S, WorstCase, worst_case_s
from examhook.settings.reader import SettingsReader


class InitialSync(StrEnum):
    """How the first poll of an account treats attempts that ended before it."""

    SILENT = "silent"
    ANNOUNCE = "announce"


class Dialect(StrEnum):
    """The provider API that an account uses."""

    LEGACY = "legacy"
    V1 = "v1"


DEFAULT_BASE_URLS: Mapping[Dialect, str] = {
    Dialect.LEGACY: "https://onlineexammaker.com",
    Dialect.V1: "https://api.onlineexammaker.com",
}
"""The provider's own address of each API."""


def base_url_for(dialect: Dialect, base_url: str) -> str:
    """Return ``base_url``, or the default of ``dialect`` if ``base_url`` is the default of another dialect."""
    return DEFAULT_BASE_URLS[dialect] if base_url in DEFAULT_BASE_URLS.values() else base_url


def parse_base_url(raw: str) -> str:
    """Return a URL without its trailing slash; raises ValueError unless the scheme is http or https."""
    if not raw.startswith(("https://", "http://")):
        raise ValueError(raw)
    return raw.rstrip("/")


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Settings of Poll."""

    account: str
    base_url: str
    dialect: Dialect
    account_code_secret_arn: str
    requests_per_second: float
    poll_interval_s: int
    """Time between two polls; below 60 s, delayed messages start the polls within a minute."""
    initial_sync: InitialSync
    full_scan_interval_s: int
    """Maximum time between two full scans of an active exam."""
    submissions_table: str
    exams_table: str
    endpoints_table: str
    operations_topic_arn: str
    events_table: str = ""
    failure_queue_url: str = ""
    """Queue that starts a redrive."""
    secrets_key_arn: str = ""
    """KMS key that encrypts the erasure keys."""
    accounts_secret_arn: str = ""
    """Secret that lists further accounts; empty for none."""
    tick_queue_url: str = ""
    """Queue that starts the polls within a minute; empty for none."""

    @property
    def worst_case(self) -> WorstCase:
        """Maximum time until Poll detects each kind of change."""
        return worst_case_s(poll_s=self.poll_interval_s, full_scan_s=self.full_scan_interval_s)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> PollSettings:
        """Read environment variables; raises SettingsError."""
        reader = SettingsReader(environ)
        dialect = reader.get("PROVIDER_DIALECT", Dialect, "legacy or v1", Dialect.LEGACY)
        base_url = reader.get("PROVIDER_BASE_URL", parse_base_url, "an http:// or https:// address", "")
        poll_interval_s = int(reader.number("POLL_SECONDS", 5, MINUTE_S))
        settings = cls(
            account=reader.text("ACCOUNT_NAME"),
            base_url=base_url_for(dialect, base_url),
            dialect=dialect,
            account_code_secret_arn=reader.text("ACCOUNT_CODE_SECRET_ARN"),
            requests_per_second=reader.number("REQUESTS_PER_SECOND", 0.1, 10),
            poll_interval_s=poll_interval_s,
            initial_sync=reader.get("INITIAL_SYNC", InitialSync, "silent or announce", InitialSync.SILENT),
            full_scan_interval_s=int(reader.number("FULL_PASS_MINUTES", 1, 1440) * 60),
            submissions_table=reader.text("SUBMISSIONS_TABLE"),
            exams_table=reader.text("EXAMS_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            operations_topic_arn=reader.text("OPERATIONS_TOPIC_ARN"),
            events_table=reader.text("EVENTS_TABLE"),
            failure_queue_url=reader.text("FAILURE_QUEUE_URL"),
            secrets_key_arn=reader.optional_text("SECRETS_KEY_ARN"),
            accounts_secret_arn=reader.optional_text("ACCOUNTS_SECRET_ARN"),
            tick_queue_url=reader.text("TICK_QUEUE_URL") if poll_interval_s < MINUTE_S else "",
        )
        reader.finish()
        return settings
