"""A webhook endpoint: where it is, what it wants, and how it has been doing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from examhook.delivery.health import Health, Notice
from examhook.delivery.pace import Pace, pace_of
from examhook.events.catalogue import DEFAULT_TYPES
from examhook.events.identity import derived_id

if TYPE_CHECKING:
    from examhook.events.build import Event

_ANY_OF_A_KIND = ".*"


class EndpointStatus(StrEnum):
    """Whether anything is sent to an endpoint."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class EndpointOrigin(StrEnum):
    """Who made an endpoint, and so who may remove it."""

    PARAMETER = "parameter"
    """Named in the stack's ``WebhookUrls``; leaves with it."""
    CLI = "cli"
    """Added by ``examhook endpoints add``."""


class Privacy(StrEnum):
    """How much of a submission an endpoint is told."""

    FULL = "full"
    """All of it."""
    PSEUDONYMOUS = "pseudonymous"
    """Neither name nor link, and in place of the candidate's id one that only this endpoint sees."""
    THIN = "thin"
    """Ids only."""


class BodyFormat(StrEnum):
    """How an endpoint is told."""

    CLOUDEVENTS = "cloudevents"
    """The event itself, for programs."""
    SLACK = "slack"
    TEAMS = "teams"
    DISCORD = "discord"
    """These three: a message for people, as the product's incoming webhooks take it."""


class ContentType(StrEnum):
    """The ``Content-Type`` under which an endpoint gets events; the body is the same."""

    JSON = "json"
    """``application/json``, which every receiver parses."""
    CLOUDEVENTS = "cloudevents"
    """``application/cloudevents+json`` (CloudEvents, HTTP binding, structured mode), for receivers that ask for it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver of webhooks."""

    endpoint_id: str
    url: str = field(repr=False)
    """May carry a token of the receiver's, so it is neither logged nor shown in a repr."""
    sealed_secret: bytes = field(repr=False)
    """The signing secret, encrypted."""
    origin: EndpointOrigin
    created_at: int
    types: tuple[str, ...] = ()
    """Names of event types, or patterns such as ``submission.*``; empty for catalogue.DEFAULT_TYPES."""
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
    """For events themselves; messages for chats are always JSON."""
    sealed_pseudonym_key: bytes | None = field(default=None, repr=False)
    """What pseudonyms are made with, encrypted. The receiver never learns it: by its signing secret it could guess."""
    header_names: tuple[str, ...] = ()
    """Names of the headers that each request carries besides; what they hold is sealed."""
    sealed_headers: bytes | None = field(default=None, repr=False)
    rate_per_second: float | None = None
    """At most so many attempts per second; None for no limit."""
    previous_sealed_secret: bytes | None = field(default=None, repr=False)
    """The signing secret before the last rotation, encrypted."""
    previous_secret_until: int | None = None
    """Attempts before this (Unix seconds) carry a signature by the previous secret too."""
    health: Health = field(default_factory=Health)
    notices: tuple[Notice, ...] = ()
    """What the operators are still to be told, oldest first."""

    @property
    def is_enabled(self) -> bool:
        """Whether events are sent to it."""
        return self.status is EndpointStatus.ENABLED

    def pace(self, now: float) -> Pace | None:
        """How fast attempts may follow each other at ``now`` (Unix seconds); None where nothing holds them back."""
        return pace_of(self.rate_per_second, self.health.slowed_until, now)

    def wants(self, event: Event) -> bool:
        """Whether the endpoint's filters let ``event`` through; its status plays no part."""
        return self.asks_for(event.event_type, event.account, event.exam_id)

    def asks_for(self, event_type: str, account: str | None, exam_id: str | None) -> bool:
        """Whether the endpoint's filters let events of a type about an exam through."""
        return (
            any(matches(pattern, event_type) for pattern in self.types or DEFAULT_TYPES)
            and (not self.accounts or account in self.accounts)
            and (not self.exam_ids or exam_id in self.exam_ids)
        )


def matches(pattern: str, event_type: str) -> bool:
    """Whether ``event_type`` is named by ``pattern``: the type itself, a kind such as ``submission.*``, or ``*``."""
    if pattern == "*":
        return True
    if pattern.endswith(_ANY_OF_A_KIND):
        return event_type.startswith(pattern.removesuffix("*"))
    return event_type == pattern


def unknown_patterns(patterns: Sequence[str], known_types: Sequence[str]) -> list[str]:
    """Those of ``patterns`` that name none of ``known_types``: a slip of the pen that would filter out everything."""
    return [pattern for pattern in patterns if not any(matches(pattern, known) for known in known_types)]


def parameter_endpoint_id(url: str) -> str:
    """Id of the endpoint that the stack's parameter names: always the same for the same URL."""
    return derived_id("ep", url)


def fresh_endpoint_id(url: str, random_bytes: Callable[[int], bytes]) -> str:
    """Id of an endpoint added by hand; the same URL may be added again, with other filters."""
    return derived_id("ep", url, random_bytes(16).hex())
