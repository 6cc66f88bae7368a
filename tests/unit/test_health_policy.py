"""What an endpoint's health calls for."""

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
def test_it_is_warned_of_once_it_has_failed_for_an_hour(endpoint: Endpoint, expected: object) -> None:
    assert health_action(endpoint, SINCE + 2 * LIMIT_S, LIMIT_S) == expected


def test_five_days_of_nothing_but_failures_disable_it() -> None:
    judged = health_action(failing(LIMIT_S), SINCE + LIMIT_S, LIMIT_S)
    assert judged == Disable(SINCE, "all attempts failed for 5 days; the last one: answered 503 Service Unavailable")


def test_an_endpoint_that_nothing_was_sent_to_since_has_not_been_failing() -> None:
    """Four failures within an hour, and then a fortnight in which no exam took place."""
    judged = health_action(failing(3000), SINCE + 14 * DAY_S, LIMIT_S)
    assert judged == NoAction()


def test_it_is_warned_of_again_each_day_and_not_at_each_tick() -> None:
    warned = failing(2 * DAY_S, warned_since=SINCE, warned_at=SINCE + 3600)
    assert health_action(warned, SINCE + 3600 + WARN_AGAIN_S - 1, LIMIT_S) == NoAction()
    assert isinstance(health_action(warned, SINCE + 3600 + WARN_AGAIN_S, LIMIT_S), Warn)


def test_new_failures_are_warned_of_although_old_ones_were_a_moment_ago() -> None:
    warned = failing(WARN_AFTER_S, warned_since=SINCE - 7000, warned_at=SINCE + WARN_AFTER_S - 60)
    assert isinstance(health_action(warned, SINCE + WARN_AFTER_S, LIMIT_S), Warn)


def test_it_has_recovered_once_an_event_got_through_after_a_warning() -> None:
    health = Health(last_success_at=SINCE + 5000, warned_since=SINCE, warned_at=SINCE + 3600)
    endpoint = replace(failing(0), health=health)
    assert health_action(endpoint, SINCE + 5050, LIMIT_S) == Recovered(SINCE, SINCE + 5000)
    never_warned = replace(endpoint, health=replace(health, warned_since=None, warned_at=None))
    assert health_action(never_warned, SINCE + 5050, LIMIT_S) == NoAction()


def test_a_success_from_before_the_failures_is_no_recovery() -> None:
    """An operator enabled the endpoint, which clears its failures, and nothing was sent to it yet."""
    health = Health(last_success_at=SINCE - 5, warned_since=SINCE, warned_at=SINCE + 3600)
    assert health_action(replace(failing(0), health=health), SINCE + 9000, LIMIT_S) == NoAction()


def test_the_warning_names_the_last_error_what_waits_and_when_it_ends() -> None:
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


def test_what_is_counted_no_further_is_told_so() -> None:
    notice = disabled_notice("ep_1", "it answered 410 Gone", BacklogSummary(MAX_COUNTED, None), SINCE)
    assert "10,000 or more events are waiting for it." in notice.message
    assert notice.details["waiting"] == MAX_COUNTED


def test_no_notice_names_the_url() -> None:
    endpoint, backlog_summary = failing(WARN_AFTER_S), BacklogSummary(0, None)
    notices = [
        failing_notice(endpoint, Warn(SINCE, SINCE + LIMIT_S), backlog_summary, SINCE),
        disabled_notice("ep_1", "it answered 410 Gone", backlog_summary, SINCE),
        recovered_notice("ep_1", Recovered(SINCE, SINCE + 10), backlog_summary),
    ]
    assert not [notice for notice in notices if "a.example" in repr(notice)]
