"""The effect of each answer on a delivery."""

from __future__ import annotations

import random
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.decision import Delivered, DisableEndpoint, GiveUp, Retry, decide, reason_of, retry_after_s
from examhook.delivery.record import SendOutcome, SendResult
from examhook.delivery.schedule import MAX_ATTEMPTS

NOW = 1_777_818_720
DAY_S = 86_400
RNG = random.Random(0)


def answered(status: int, retry_after: str | None = None) -> SendResult:
    return SendResult(SendOutcome.ANSWERED, status, 12, "answer", retry_after)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_delivery(status: int) -> None:
    assert isinstance(decide(answered(status), 1, NOW, RNG), Delivered)


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 400, 401, 404, 429, 500, 502, 503, 504, 599, 999])
def test_any_other_status_is_retried(status: int) -> None:
    decision = decide(answered(status), 1, NOW, RNG)
    assert decision == Retry(reason_of(answered(status)), NOW + 5)


@pytest.mark.parametrize("outcome", [each for each in SendOutcome if each is not SendOutcome.ANSWERED])
def test_a_missing_answer_is_retried_with_a_readable_reason(outcome: SendOutcome) -> None:
    decision = decide(SendResult(outcome, None, 3), 2, NOW, RNG)
    assert isinstance(decision, Retry)
    assert NOW + 270 <= decision.at <= NOW + 330
    assert " " in decision.reason


def test_410_disables_the_endpoint_and_keeps_the_delivery() -> None:
    decision = decide(answered(410), 1, NOW, RNG)
    assert isinstance(decision, DisableEndpoint)
    assert decision.at == NOW + 5


def test_the_last_failed_attempt_fails_the_delivery() -> None:
    decision = decide(answered(500), MAX_ATTEMPTS, NOW, RNG)
    assert decision == GiveUp("answered 500 Internal Server Error; that was the last attempt")


def test_a_redirect_says_that_it_is_not_followed() -> None:
    assert "does not follow" in reason_of(answered(302))


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejection_names_every_usual_cause(status: int) -> None:
    reason = reason_of(answered(status))
    assert [cause for cause in ("secret", "clock", "login", "CSRF") if cause not in reason] == []


def test_a_defect_of_an_answer_is_reported_with_its_status() -> None:
    broken = SendResult(SendOutcome.BROKEN_RESPONSE, 500, 12, detail="The answer of a.example was cut off.")
    assert reason_of(broken) == "answered 500 Internal Server Error (The answer of a.example was cut off)"


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("3600", 3600),
        (" 120 ", 120),
        ("86400", DAY_S),
        ("1000000", DAY_S),
        ("9" * 400, DAY_S),
        (formatdate(NOW + 7200, usegmt=True), 7200),
        (formatdate(NOW + 90 * DAY_S, usegmt=True), DAY_S),
        ("Sun, 03 May 2026 16:32:00 +0200", None),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(header: str, wait_s: int | None) -> None:
    decision = decide(answered(503, header), 1, NOW, RNG)
    assert isinstance(decision, Retry)
    assert decision.at == NOW + (wait_s or 5)
    assert decision.not_before == (None if wait_s is None else NOW + wait_s)


def test_a_short_retry_after_does_not_shorten_the_schedule() -> None:
    decision = decide(answered(429, "1"), 3, NOW, RNG)
    assert isinstance(decision, Retry)
    assert decision.at >= NOW + 1620
    assert decision.not_before == NOW + 1


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "Thu, 99 Foo 2026", "0x10", "٣", formatdate(NOW - 60)])
def test_an_invalid_retry_after_is_ignored(header: str) -> None:
    assert retry_after_s(header, NOW) is None


@given(header=st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ \S+", fullmatch=True))
def test_no_retry_after_can_break_a_delivery(header: str) -> None:
    wait_s = retry_after_s(header, NOW)
    assert wait_s is None or wait_s >= 0


@given(status=st.integers(100, 999), attempt=st.integers(1, 12), header=st.none() | st.integers(0, 10**9).map(str))
def test_a_retry_comes_within_the_maximum_delay(status: int, attempt: int, header: str | None) -> None:
    decision = decide(answered(status, header), attempt, NOW, RNG)
    if isinstance(decision, Retry):
        assert attempt < MAX_ATTEMPTS
        assert NOW < decision.at <= NOW + 1.1 * DAY_S
