"""What each function is configured with: read once, every bad variable named at once.

The template sets the variables (``template.yaml``, ``Environment``); nothing else in the package
reads the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

_T = TypeVar("_T")
_DAY_S = 86_400
_TRUE_FALSE = {"true": True, "false": False}


class SettingsError(ValueError):
    """One or more variables are missing or wrong; the message names each and says what it should hold."""


class InitialSync(StrEnum):
    """What to do with attempts that had ended before the watch on an account began."""

    SILENT = "silent"
    ANNOUNCE = "announce"


class Dialect(StrEnum):
    """Which of the provider's two APIs an account is read through."""

    LEGACY = "legacy"
    V1 = "v1"


DEFAULT_BASE_URLS: Mapping[Dialect, str] = {
    Dialect.LEGACY: "https://onlineexammaker.com",
    Dialect.V1: "https://api.onlineexammaker.com",
}
"""Where the provider's own site serves each API."""


class _Reader:
    """Reads variables and gathers what is wrong with them, so that all of it is said at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def get(self, name: str, parse: Callable[[str], _T], wanted: str, fallback: _T) -> _T:
        """``parse`` of variable ``name``; on failure ``fallback``, and a problem that says ``wanted``."""
        raw = self._environ.get(name)
        if raw is None:
            self._problems.append(f"{name} is not set (wanted: {wanted})")
            return fallback
        try:
            return parse(raw)
        except (ValueError, KeyError):
            self._problems.append(f"{name} is not {wanted}")
            return fallback

    def text(self, name: str) -> str:
        """A variable that may not be empty."""
        return self.get(name, _not_empty, "a text that is not empty", "")

    def number(self, name: str, at_least: float, at_most: float) -> float:
        """A number within bounds, both included."""
        return self.get(name, _within(at_least, at_most), f"a number from {at_least:g} to {at_most:g}", at_least)

    def flag(self, name: str) -> bool:
        """``true`` or ``false``."""
        return self.get(name, lambda raw: _TRUE_FALSE[raw], "true or false", fallback=False)

    def finish(self) -> None:
        """Raise SettingsError if anything was wrong."""
        if self._problems:
            raise SettingsError("Bad settings: " + "; ".join(self._problems) + ". Deploy the stack again to set them.")


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Settings of Poll."""

    account: str
    base_url: str
    dialect: Dialect
    account_code_secret_arn: str
    requests_per_second: float
    poll_seconds: int
    """Seconds between two polls; below 60, one invocation polls several times."""
    initial_sync: InitialSync
    full_pass_seconds: int
    """An exam's results are read whole at least this often."""
    submissions_table: str
    exams_table: str
    operations_topic_arn: str
    accounts_secret_arn: str = ""
    """The secret that lists further accounts; empty where there are none."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> PollSettings:
        """Settings from environment variables; raises SettingsError."""
        reader = _Reader(environ)
        dialect = reader.get("PROVIDER_DIALECT", Dialect, "legacy or v1", Dialect.LEGACY)
        base_url = reader.get("PROVIDER_BASE_URL", parse_base_url, "an http:// or https:// address", "")
        settings = cls(
            account=reader.text("ACCOUNT_NAME"),
            base_url=base_url_for(dialect, base_url),
            dialect=dialect,
            account_code_secret_arn=reader.text("ACCOUNT_CODE_SECRET_ARN"),
            requests_per_second=reader.number("REQUESTS_PER_SECOND", 0.1, 10),
            poll_seconds=int(reader.number("POLL_SECONDS", 5, 60)),
            initial_sync=reader.get("INITIAL_SYNC", InitialSync, "silent or announce", InitialSync.SILENT),
            full_pass_seconds=int(reader.number("FULL_PASS_MINUTES", 1, 1440) * 60),
            submissions_table=reader.text("SUBMISSIONS_TABLE"),
            exams_table=reader.text("EXAMS_TABLE"),
            operations_topic_arn=reader.text("OPERATIONS_TOPIC_ARN"),
            accounts_secret_arn=environ.get("ACCOUNTS_SECRET_ARN", "").strip(),
        )
        reader.finish()
        return settings


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

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> DispatchSettings:
        """Settings from environment variables; raises SettingsError."""
        reader = _Reader(environ)
        settings = cls(
            submissions_table=reader.text("SUBMISSIONS_TABLE"),
            events_table=reader.text("EVENTS_TABLE"),
            deliveries_table=reader.text("DELIVERIES_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            submissions_topic_arn=reader.text("SUBMISSIONS_TOPIC_ARN"),
            failure_queue_url=reader.text("FAILURE_QUEUE_URL"),
            delivery_queue_url=reader.text("DELIVERY_QUEUE_URL"),
            secrets_key_arn=reader.text("SECRETS_KEY_ARN"),
            webhook_urls=reader.get("WEBHOOK_URLS", _comma_list, "addresses with commas between them", ()),
            retention_days=int(reader.number("RETENTION_DAYS", 1, 365)),
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
    retention_days: int
    attempt_deadline_s: float
    """Seconds from name look-up to the last byte of the answer."""
    allow_http_endpoints: bool = field(default=False)
    allow_private_endpoints: bool = field(default=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> DeliverSettings:
        """Settings from environment variables; raises SettingsError."""
        reader = _Reader(environ)
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
        reader = _Reader(environ)
        settings = cls(
            deliveries_table=reader.text("DELIVERIES_TABLE"),
            endpoints_table=reader.text("ENDPOINTS_TABLE"),
            delivery_queue_url=reader.text("DELIVERY_QUEUE_URL"),
            secrets_key_arn=reader.text("SECRETS_KEY_ARN"),
            webhook_urls=reader.get("WEBHOOK_URLS", _comma_list, "addresses with commas between them", ()),
            operations_topic_arn=reader.text("OPERATIONS_TOPIC_ARN"),
            disable_after_s=int(reader.number("DISABLE_AFTER_DAYS", 1, 30) * _DAY_S),
        )
        reader.finish()
        return settings


def _not_empty(raw: str) -> str:
    if not raw.strip():
        raise ValueError(raw)
    return raw.strip()


def base_url_for(dialect: Dialect, base_url: str) -> str:
    """``base_url``, or where the provider serves ``dialect`` itself if that is the default of another."""
    return DEFAULT_BASE_URLS[dialect] if base_url in DEFAULT_BASE_URLS.values() else base_url


def parse_base_url(raw: str) -> str:
    """An address without the slash at its end; raises ValueError where it is none."""
    if not raw.startswith(("https://", "http://")):
        raise ValueError(raw)
    return raw.rstrip("/")


def _comma_list(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _within(at_least: float, at_most: float) -> Callable[[str], float]:
    def parse(raw: str) -> float:
        value = float(raw)
        if not at_least <= value <= at_most:
            raise ValueError(raw)
        return value

    return parse
