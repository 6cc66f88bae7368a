"""What an endpoint's health calls for: a warning, the end of sending, or word that it is well again."""

from __future__ import annotations

from dataclasses import dataclass

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.health import Notice
from examhook.events.catalogue import OperationsEventType
from examhook.events.encoding import instant

WARN_AFTER_S = 3600
"""The operators are warned of an endpoint that has done nothing but fail for so long."""

WARN_AGAIN_S = 24 * 3600
"""And again after this, as long as it goes on."""

MOST_COUNTED = 10_000
"""No more of what waits for an endpoint is counted: a notice needs no more, and reading a million takes minutes."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing is called for."""


@dataclass(frozen=True, slots=True)
class Warn:
    """It has been failing long enough to be told of."""

    failing_since: int
    disable_at: int
    """When it will be disabled, if nothing arrives until then."""


@dataclass(frozen=True, slots=True)
class Disable:
    """It has failed for so long that nothing more is sent."""

    failing_since: int
    reason: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The operators were warned of it, and it has taken an event since."""

    failing_since: int
    at: int


Judgement = Leave | Warn | Disable | Recovered


@dataclass(frozen=True, slots=True)
class Outlook:
    """What still waits for an endpoint."""

    waiting: int
    """MOST_COUNTED stands for so many or more."""
    next_attempt_at: int | None


def judge(endpoint: Endpoint, now: int, disable_after_s: int) -> Judgement:
    """What to do about ``endpoint`` at ``now`` (Unix seconds).

    The time that counts is from the first to the last failure in a row: an endpoint that nothing
    was sent to has not been failing.
    """
    health = endpoint.health
    warned_since, since = health.warned_since, health.failing_since
    succeeded_at = health.last_success_at
    if warned_since is not None and since != warned_since and succeeded_at is not None and succeeded_at > warned_since:
        return Recovered(warned_since, succeeded_at)
    if not endpoint.is_enabled or since is None or not health.is_down:
        return Leave()
    failed_for_s = (health.last_failure_at or since) - since
    if failed_for_s >= disable_after_s:
        days = f"{disable_after_s / 86_400:g}"
        return Disable(since, f"nothing but failures for {days} days; the last: {health.last_error}")
    if failed_for_s >= WARN_AFTER_S and (since != warned_since or now - (health.warned_at or 0) >= WARN_AGAIN_S):
        return Warn(since, since + disable_after_s)
    return Leave()


def failing_notice(endpoint: Endpoint, warning: Warn, outlook: Outlook, now: int) -> Notice:
    """The warning in words."""
    disable_at = instant(warning.disable_at)
    return Notice(
        OperationsEventType.ENDPOINT_FAILING,
        now,
        f"Endpoint {endpoint.endpoint_id} has been failing since {instant(warning.failing_since)}: the last attempt "
        f"{_last_error(endpoint)}. {_waiting(outlook)} If none gets through until {disable_at}, it is disabled.",
        {
            "endpoint_id": endpoint.endpoint_id,
            "failing_since": instant(warning.failing_since),
            "last_error": endpoint.health.last_error,
            **_outlook_details(outlook),
            "disable_at": disable_at,
        },
    )


def disabled_notice(endpoint_id: str, reason: str, outlook: Outlook, now: int) -> Notice:
    """That nothing more is sent, and how to go on."""
    return Notice(
        OperationsEventType.ENDPOINT_DISABLED,
        now,
        # Nothing is due while it is disabled.
        f"Endpoint {endpoint_id} was disabled: {reason}. {_waiting(Outlook(outlook.waiting, None))} "
        f"Put it right, then run: examhook endpoints enable {endpoint_id}",
        {"endpoint_id": endpoint_id, "reason": reason, "waiting": outlook.waiting},
    )


def recovered_notice(endpoint_id: str, recovered: Recovered, outlook: Outlook) -> Notice:
    """That all is well again."""
    return Notice(
        OperationsEventType.ENDPOINT_RECOVERED,
        recovered.at,
        f"Endpoint {endpoint_id} takes events again. {_waiting(outlook)}",
        {
            "endpoint_id": endpoint_id,
            "failing_since": instant(recovered.failing_since),
            "recovered_at": instant(recovered.at),
            **_outlook_details(outlook),
        },
    )


def _last_error(endpoint: Endpoint) -> str:
    error = endpoint.health.last_error or "failed"
    # An attempt with an answer reads "answered 500 …", one without is a sentence of its own.
    return error.rstrip(".") if error.startswith("answered") else f"failed ({error.rstrip('.')})"


def _waiting(outlook: Outlook) -> str:
    if outlook.waiting == 0:
        return "Nothing waits for it."
    or_more = " or more" if outlook.waiting >= MOST_COUNTED else ""
    events = "1 event waits" if outlook.waiting == 1 else f"{outlook.waiting:,}{or_more} events wait"
    at = outlook.next_attempt_at
    return f"{events} for it." if at is None else f"{events} for it; the next attempt is due at {instant(at)}."


def _outlook_details(outlook: Outlook) -> dict[str, str | int | None]:
    at = outlook.next_attempt_at
    return {"waiting": outlook.waiting, "next_attempt_at": None if at is None else instant(at)}
