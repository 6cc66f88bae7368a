"""What Poll is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.detection.intervals import MINUTE_S, WorstCase, worst_case_s
from examhook.settings.account import Dialect, InitialSync, base_url_for, parse_base_url
from examhook.settings.reading import SettingsReader


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Settings of Poll."""

    account: str
    base_url: str
    dialect: Dialect
    account_code_secret_arn: str
    requests_per_second: float
    poll_seconds: int
    """Seconds between two polls; below 60, messages start the polls between two ticks of the schedule."""
    initial_sync: InitialSync
    full_scan_seconds: int
    """An exam is scanned completely at least this often while it is active."""
    submissions_table: str
    exams_table: str
    endpoints_table: str
    operations_topic_arn: str
    events_table: str = ""
    """Where it is seen what was dispatched."""
    failure_queue_url: str = ""
    """Where a redrive is ordered."""
    secrets_key_arn: str = ""
    """The key that seals what hashes of erased candidates are made with."""
    accounts_secret_arn: str = ""
    """The secret that lists further accounts; empty where there are none."""
    tick_queue_url: str = ""
    """The queue of polls between two ticks of the schedule; empty where there are none."""

    @property
    def worst_case(self) -> WorstCase:
        """Longest time until a change is announced."""
        return worst_case_s(poll_s=self.poll_seconds, full_scan_s=self.full_scan_seconds)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> PollSettings:
        """Settings from environment variables; raises SettingsError."""
        reader = SettingsReader(environ)
        dialect = reader.get("PROVIDER_DIALECT", Dialect, "legacy or v1", Dialect.LEGACY)
        base_url = reader.get("PROVIDER_BASE_URL", parse_base_url, "an http:// or https:// address", "")
        poll_seconds = int(reader.number("POLL_SECONDS", 5, MINUTE_S))
        settings = cls(
            account=reader.text("ACCOUNT_NAME"),
            base_url=base_url_for(dialect, base_url),
            dialect=dialect,
            account_code_secret_arn=reader.text("ACCOUNT_CODE_SECRET_ARN"),
            requests_per_second=reader.number("REQUESTS_PER_SECOND", 0.1, 10),
            poll_seconds=poll_seconds,
            initial_sync=reader.get("INITIAL_SYNC", InitialSync, "silent or announce", InitialSync.SILENT),
            full_scan_seconds=int(reader.number("FULL_PASS_MINUTES", 1, 1440) * 60),
            submissions_table=reader.text("SUBMISSIONS_TABLE"),
            exams_table=reader.text("EXAMS_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            operations_topic_arn=reader.text("OPERATIONS_TOPIC_ARN"),
            events_table=reader.text("EVENTS_TABLE"),
            failure_queue_url=reader.text("FAILURE_QUEUE_URL"),
            secrets_key_arn=environ.get("SECRETS_KEY_ARN", "").strip(),
            accounts_secret_arn=environ.get("ACCOUNTS_SECRET_ARN", "").strip(),
            tick_queue_url=reader.text("TICK_QUEUE_URL") if poll_seconds < MINUTE_S else "",
        )
        reader.finish()
        return settings
