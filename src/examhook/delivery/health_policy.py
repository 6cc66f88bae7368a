"""Decides when to warn about a failing endpoint, disable it, or report its recovery, and writes the notices."""

from __future__ import annotations

from dataclasses import dataclass

from examhook.delivery.endpoint import Endpoint, Notice
from examhook.events.catalogue import OperationsEventType
from examhook.events.encoding import instant

WARN_AFTER_S = 3600
"""Time without a successful attempt after which the operators are warned about a failing endpoint."""

WARN_AGAIN_S = 24 * 3600
"""Interval of further warnings."""

MAX_COUNTED = 10_000
"""Maximum waiting deliveries to count, because reading a million takes minutes."""


@dataclass(frozen=True, slots=True)
class NoAction:
    """The endpoint needs no action."""


@dataclass(frozen=True, slots=True)
class Warn:
    """Warn the operators."""

    failing_since: int
    disable_at: int
    """Time at which the endpoint will be disabled if no attempt succeeds, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Disable:
    """Stop sending to the endpoint."""

    failing_since: int
    reason: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """Report that an attempt has succeeded since the last warning."""

    failing_since: int
    at: int


HealthAction = NoAction | Warn | Disable | Recovered


@dataclass(frozen=True, slots=True)
class BacklogSummary:
    """Deliveries that wait for an endpoint."""

    waiting: int
    """Number of deliveries; MAX_COUNTED means that number or more."""
    next_attempt_at: int | None


def health_action(endpoint: Endpoint, now: int, disable_after_s: int) -> HealthAction:
    """The action for ``endpoint`` at ``now`` (Unix seconds).

    The failing time is the time between the first and the last consecutive failure. Time without attempts after the
    last failure does not count.
    """
    health = endpoint.health
    warned_since, since = health.warned_since, health.failing_since
    succeeded_at = health.last_success_at
    if warned_since is not None and since != warned_since and succeeded_at is not None and succeeded_at > warned_since:
        return Recovered(warned_since, succeeded_at)
    if not endpoint.is_enabled or since is None or not health.is_down:
        return NoAction()
    failed_for_s = (health.last_failure_at or since) - since
    if failed_for_s >= disable_after_s:
        days = f"{disable_after_s / 86_400:g}"
        return Disable(since, f"all attempts failed for {days} days; the last one: {health.last_error}")
    if failed_for_s >= WARN_AFTER_S and (since != warned_since or now - (health.warned_at or 0) >= WARN_AGAIN_S):
        return Warn(since, since + disable_after_s)
    return NoAction()


def failing_notice(endpoint: Endpoint, warning: Warn, backlog: BacklogSummary, now: int) -> Notice:
    """Notice that the endpoint is failing and when it will be disabled."""
    failing_since, disable_at = instant(warning.failing_since), instant(warning.disable_at)
    return Notice(
        OperationsEventType.ENDPOINT_FAILING,
        now,
        f"Endpoint {endpoint.endpoint_id} has been failing since {failing_since}: the last attempt "
        f"{_last_error(endpoint)}. {_backlog_sentence(backlog)} "
        f"If no attempt succeeds until {disable_at}, Examhook disables the endpoint.",
        {
            "endpoint_id": endpoint.endpoint_id,
            "failing_since": failing_since,
            "last_error": endpoint.health.last_error,
            **_backlog_details(backlog),
            "disable_at": disable_at,
        },
    )


def disabled_notice(endpoint_id: str, reason: str, backlog: BacklogSummary, now: int) -> Notice:
    """Notice that the endpoint is disabled and how to enable it."""
    return Notice(
        OperationsEventType.ENDPOINT_DISABLED,
        now,
        # A disabled endpoint has no next attempt.
        f"Endpoint {endpoint_id} was disabled: {reason}. {_backlog_sentence(BacklogSummary(backlog.waiting, None))} "
        f"Fix the problem, then run: examhook endpoints enable {endpoint_id}",
        {"endpoint_id": endpoint_id, "reason": reason, "waiting": backlog.waiting},
    )


def recovered_notice(endpoint_id: str, recovered: Recovered, backlog: BacklogSummary) -> Notice:
    """Notice that the endpoint accepts events again."""
    return Notice(
        OperationsEventType.ENDPOINT_RECOVERED,
        recovered.at,
        f"Endpoint {endpoint_id} accepts events again. {_backlog_sentence(backlog)}",
        {
            "endpoint_id": endpoint_id,
            "failing_since": instant(recovered.failing_since),
            "recovered_at": instant(recovered.at),
            **_backlog_details(backlog),
        },
    )


def _last_error(endpoint: Endpoint) -> str:
    error = (endpoint.health.last_error or "failed").rstrip(".")
    # With a response, an error reads "answered 500 …"; without one, it is a sentence of its own.
    return error if error.startswith("answered") else f"failed ({error})"


def _backlog_sentence(backlog: BacklogSummary) -> str:
    if backlog.waiting == 0:
        return "No events are waiting for it."
    or_more = " or more" if backlog.waiting >= MAX_COUNTED else ""
    events = "1 event is" if backlog.waiting == 1 else f"{backlog.waiting:,}{or_more} events are"
    at = backlog.next_attempt_at
    return f"{events} waiting for it." + (f" The next attempt is due at {instant(at)}." if at is not None else "")


def _backlog_details(backlog: BacklogSummary) -> dict[str, str | int | None]:
    at = backlog.next_attempt_at
    return {"waiting": backlog.waiting, "next_attempt_at": None if at is None else instant(at)}
