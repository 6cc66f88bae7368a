"""A webhook endpoint: its settings, its filters and its health."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from examhook.delivery.rate_limit import RateLimit, effective_rate_limit
from examhook.events.body import DetailValue
from examhook.events.catalogue import DEFAULT_TYPES, OperationsEventType
from examhook.events.identity import derived_id

if TYPE_CHECKING:
    from examhook.events.build import Event

DOWN_AFTER_FAILURES = 3
"""Consecutive failures after which an endpoint is down; a single event that the receiver rejects is not enough."""


class EndpointStatus(StrEnum):
    """Whether Examhook sends events to an endpoint."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class EndpointOrigin(StrEnum):
    """What created an endpoint, and therefore what may remove it."""

    PARAMETER = "parameter"
    """The stack's ``WebhookUrls``."""
    CLI = "cli"
    """``examhook endpoints add``."""


class Privacy(StrEnum):
    """How much of a submission an endpoint gets."""

    FULL = "full"
    PSEUDONYMOUS = "pseudonymous"
    """No name and no link; the candidate id is replaced by one that is unique to the endpoint."""
    THIN = "thin"
    """Only ids."""


class BodyFormat(StrEnum):
    """What an endpoint gets: the event itself, or a message for a chat product's incoming webhook."""

    CLOUDEVENTS = "cloudevents"
    SLACK = "slack"
    TEAMS = "teams"
    DISCORD = "discord"


class ContentType(StrEnum):
    """The ``Content-Type`` of events; the body is the same."""

    JSON = "json"
    """``application/json``, which every receiver parses."""
    CLOUDEVENTS = "cloudevents"
    """``application/cloudevents+json`` (CloudEvents, HTTP binding, structured mode)."""


@dataclass(frozen=True, slots=True)
class Health:
    """Results of recent attempts at an endpoint; times are Unix seconds."""

    last_success_at: int | None = None
    last_failure_at: int | None = None
    failing_since: int | None = None
    """Time of the first failure after the last success."""
    last_error: str | None = None
    """Reason of the last failure."""
    consecutive_failures: int = 0
    draining: bool = False
    """Whether the endpoint has recovered and Retry is still enqueuing its waiting deliveries."""
    probe_until: int | None = None
    """While the endpoint is down: time until which no other attempt may begin."""
    slowed_until: int | None = None
    """End of the slowdown after the receiver was overloaded."""
    paced_until: float | None = None
    """Time until which all rate slots are taken."""
    warned_at: int | None = None
    """Time of the last warning to the operators."""
    warned_since: int | None = None
    """``failing_since`` in the last warning."""

    @property
    def is_down(self) -> bool:
        """Whether to make only one attempt at a time."""
        return self.consecutive_failures >= DOWN_AFTER_FAILURES


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification to the operators that is not published yet.

    It is stored with the endpoint in the same write as the change that it reports, and deleted after publication, so
    that a crash or an unavailable topic does not lose it.
    """

    event_type: OperationsEventType
    at: int
    """Time of the change, Unix seconds."""
    message: str
    details: Mapping[str, DetailValue]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver of webhooks."""

    endpoint_id: str
    url: str = field(repr=False)
    """Not logged and not in the repr, because it may contain a token."""
    sealed_secret: bytes = field(repr=False)
    """Signing secret, encrypted."""
    origin: EndpointOrigin
    created_at: int
    types: tuple[str, ...] = ()
    """Event types or patterns such as ``submission.*``; empty for catalogue.DEFAULT_TYPES."""
    exam_ids: tuple[str, ...] = ()
    """Only events about these exams; empty for all."""
    accounts: tuple[str, ...] = ()
    """Only events of these accounts; empty for all."""
    description: str = ""
    status: EndpointStatus = EndpointStatus.ENABLED
    disabled_reason: str | None = None
    disabled_at: int | None = None
    privacy: Privacy = Privacy.FULL
    body_format: BodyFormat = BodyFormat.CLOUDEVENTS
    content_type: ContentType = ContentType.JSON
    """Content type of events; chat messages are always JSON."""
    sealed_pseudonym_key: bytes | None = field(default=None, repr=False)
    """Key for pseudonyms, encrypted. The receiver does not know it, so it cannot compute pseudonyms itself."""
    header_names: tuple[str, ...] = ()
    """Names of the custom headers; their values are encrypted."""
    sealed_headers: bytes | None = field(default=None, repr=False)
    rate_per_second: float | None = None
    """Maximum attempts per second; None for no limit."""
    previous_sealed_secret: bytes | None = field(default=None, repr=False)
    """Signing secret before the last rotation, encrypted."""
    previous_secret_until: int | None = None
    """Time (Unix seconds) until which attempts are also signed with the previous secret."""
    health: Health = field(default_factory=Health)
    notices: tuple[Notice, ...] = ()
    """Unpublished notices, oldest first."""

    @property
    def is_enabled(self) -> bool:
        """Whether Examhook sends events to the endpoint."""
        return self.status is EndpointStatus.ENABLED

    def rate_limit(self, now: float) -> RateLimit | None:
        """The rate limit at ``now`` (Unix seconds); None for no limit."""
        return effective_rate_limit(self.rate_per_second, self.health.slowed_until, now)

    def wants(self, event: Event) -> bool:
        """Whether the filters match ``event``; the status is ignored."""
        return self.asks_for(event.event_type, event.account, event.exam_id)

    def asks_for(self, event_type: str, account: str | None, exam_id: str | None) -> bool:
        """Whether the filters match events of this type, account and exam."""
        return (
            any(matches(pattern, event_type) for pattern in self.types or DEFAULT_TYPES)
            and (not self.accounts or account in self.accounts)
            and (not self.exam_ids or exam_id in self.exam_ids)
        )


def matches(pattern: str, event_type: str) -> bool:
    """Whether ``pattern`` matches ``event_type``: the type itself, a prefix such as ``submission.*``, or ``*``."""
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return event_type.startswith(pattern.removesuffix("*"))
    return event_type == pattern


def unknown_patterns(patterns: Sequence[str], known_types: Sequence[str]) -> list[str]:
    """Patterns that match none of ``known_types``, probably misspelled."""
    return [pattern for pattern in patterns if not any(matches(pattern, known) for known in known_types)]


def parameter_endpoint_id(url: str) -> str:
    """Id of an endpoint from the stack's parameter; the same URL always has the same id."""
    return derived_id("ep", url)


def fresh_endpoint_id(url: str, random_bytes: Callable[[int], bytes]) -> str:
    """New id of an endpoint from the command line; each call with the same URL returns another id."""
    return derived_id("ep", url, random_bytes(16).hex())
