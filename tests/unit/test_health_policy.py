"""What Retry does about an endpoint's health."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, EndpointStatus, Health
from examhook.delivery.health_policy import (
    MAX_COUNTED,
    WARN_AFTER_S,
    WARN_AGAIN_S,
    BacklogSummary,
    Disable,
    NoAction,
    Recovered,
    Warn,
    disabled_notice,
    failing_notice,
    health_action,
    recovered_notice,
)

SINCE = 1_777_815_120
DAY_S = 86_400
LIMIT_S = 5 * DAY_S


def failing(
    for_s: int, *, consecutive_failures: int = 5, warned_at: int | None = None, warned_since: int | None = None
) -> Endpoint:
    """An endpoint that has failed for ``for_s`` since SINCE."""
    known = Health(
        failing_since=SINCE,
        last_failure_at=SINCE + for_s,
        consecutive_failures=consecutive_failures,
        last_error="answered 503 Service Unavailable",
        warned_at=warned_at,
        warned_since=warned_since,
    )
    return Endpoint("ep_1", "https://a.example/?token=t", b"", EndpointOrigin.CLI, SINCE - 10, health=known)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1), NoAction()),
        (failing(WARN_AFTER_S - 1), NoAction()),
        (failing(WARN_AFTER_S), Warn(SINCE, SINCE + LIMIT_S)),
        (failing(LIMIT_S - 1), Warn(SINCE, SINCE + LIMIT_S)),
        (failing(LIMIT_S, consecutive_failures=2), NoAction()),
        (replace(failing(LIMIT_S), status=EndpointStatus.DISABLED), NoAction()),
    ],
)
def test_operators_are_warned_after_an_hour_of_failures(endpoint: Endpoint, expected: object) -> None:
    assert health_action(endpoint, SINCE + 2 * LIMIT_S, LIMIT_S) == expected


def test_five_days_of_failures_alone_disable_the_endpoint() -> None:
    judged = health_action(failing(LIMIT_S), SINCE + LIMIT_S, LIMIT_S)
    assert judged == Disable(SINCE, "all attempts failed for 5 days; the last one: answered 503 Service Unavailable")


def test_an_endpoint_without_attempts_does_not_count_as_failing() -> None:
    """Four failures within an hour, then two weeks without exams."""
    judged = health_action(failing(3000), SINCE + 14 * DAY_S, LIMIT_S)
    assert judged == NoAction()


def test_the_warning_is_repeated_daily_and_not_at_each_tick() -> None:
    warned = failing(2 * DAY_S, warned_since=SINCE, warned_at=SINCE + 3600)
    assert health_action(warned, SINCE + 3600 + WARN_AGAIN_S - 1, LIMIT_S) == NoAction()
    assert isinstance(health_action(warned, SINCE + 3600 + WARN_AGAIN_S, LIMIT_S), Warn)


def test_new_failures_cause_a_warning_even_shortly_after_old_ones() -> None:
    warned = failing(WARN_AFTER_S, warned_since=SINCE - 7000, warned_at=SINCE + WARN_AFTER_S - 60)
    assert isinstance(health_action(warned, SINCE + WARN_AFTER_S, LIMIT_S), Warn)


def test_a_success_after_a_warning_is_a_recovery() -> None:
    health = Health(last_success_at=SINCE + 5000, warned_since=SINCE, warned_at=SINCE + 3600)
    endpoint = replace(failing(0), health=health)
    assert health_action(endpoint, SINCE + 5050, LIMIT_S) == Recovered(SINCE, SINCE + 5000)
    never_warned = replace(endpoint, health=replace(health, warned_since=None, warned_at=None))
    assert health_action(never_warned, SINCE + 5050, LIMIT_S) == NoAction()


def test_a_success_before_the_failures_is_not_a_recovery() -> None:
    """An operator enabled the endpoint, which clears its failures, and nothing was sent to it since."""
    health = Health(last_success_at=SINCE - 5, warned_since=SINCE, warned_at=SINCE + 3600)
    assert health_action(replace(failing(0), health=health), SINCE + 9000, LIMIT_S) == NoAction()


def test_the_warning_states_the_last_error_the_waiting_deliveries_and_the_deadline() -> None:
    notice = failing_notice(
        failing(WARN_AFTER_S), Warn(SINCE, SINCE + LIMIT_S), BacklogSummary(2, SINCE + 4000), SINCE + 3700
    )
    assert notice.message == (
        "Endpoint ep_1 has been failing since 2026-05-03T13:32:00Z: the last attempt answered 503 Service Unavailable. "
        "2 events are waiting for it. The next attempt is due at 2026-05-03T14:38:40Z. "
        "If no attempt succeeds until 2026-05-08T13:32:00Z, Examhook disables the endpoint."
    )
    assert notice.details["waiting"] == 2
    assert notice.details["next_attempt_at"] == "2026-05-03T14:38:40Z"


def test_a_count_at_its_limit_is_marked_as_such() -> None:
    notice = disabled_notice("ep_1", "it answered 410 Gone", BacklogSummary(MAX_COUNTED, None), SINCE)
    assert "10,000 or more events are waiting for it." in notice.message
    assert notice.details["waiting"] == MAX_COUNTED


def test_no_notice_contains_the_url() -> None:
    endpoint, backlog_summary = failing(WARN_AFTER_S), BacklogSummary(0, None)
    notices = [
        failing_notice(endpoint, Warn(SINCE, SINCE + LIMIT_S), backlog_summary, SINCE),
        disabled_notice("ep_1", "it answered 410 Gone", backlog_summary, SINCE),
        recovered_notice("ep_1", Recovered(SINCE, SINCE + 10), backlog_summary),
    ]
    assert not [notice for notice in notices if "a.example" in repr(notice)]
