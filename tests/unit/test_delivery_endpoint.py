"""Which events an endpoint receives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, Health, unknown_patterns
from examhook.events.build import submission_event
from examhook.events.catalogue import EventType, ExamEventType
from tests.support.events.event_examples import examples
from tests.support.events.model_values import submission, transition

ENDPOINT = Endpoint("ep_1", "https://a.example/?token=t", b"sealed", EndpointOrigin.CLI, 1_777_818_720)
SUBMITTED = submission_event(submission(), transition())
STARTED = submission_event(submission(), transition(event_type=EventType.STARTED.value, status_code=0))


def test_without_filters_it_gets_what_is_on_by_default() -> None:
    assert ENDPOINT.wants(SUBMITTED)
    assert not ENDPOINT.wants(STARTED)


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        (("submission.submitted",), True),
        (("submission.forced",), False),
        (("submission.forced", "submission.submitted"), True),
        (("submission.*",), True),
        (("*",), True),
        (("exam.*",), False),
        (("submission",), False),
        (("submission.submitted.*",), False),
        (("sub*",), False),
    ],
)
def test_types_filter(types: tuple[str, ...], *, wanted: bool) -> None:
    assert replace(ENDPOINT, types=types).wants(SUBMITTED) is wanted


def test_a_pattern_includes_types_that_are_off_by_default() -> None:
    assert replace(ENDPOINT, types=("submission.*",)).wants(STARTED)


@pytest.mark.parametrize(
    ("types", "wanted"),
    [((), ["exam.opened", "exam.closed"]), (("exam.*",), ["exam.opened", "exam.closed", "exam.verified"])],
)
def test_receipts_come_only_by_subscription(types: tuple[str, ...], wanted: list[str]) -> None:
    endpoint = replace(ENDPOINT, types=types)
    assert [each for each in ExamEventType if endpoint.wants(examples()[each])] == wanted


@pytest.mark.parametrize(
    ("exam_ids", "accounts", "wanted"),
    [
        (("23812",), (), True),
        (("1",), (), False),
        ((), ("main",), True),
        ((), ("other",), False),
        (("23812",), ("other",), False),
        (("1", "23812"), ("other", "main"), True),
    ],
)
def test_exams_and_accounts_filter(exam_ids: tuple[str, ...], accounts: tuple[str, ...], *, wanted: bool) -> None:
    assert replace(ENDPOINT, exam_ids=exam_ids, accounts=accounts).wants(SUBMITTED) is wanted


def test_a_pattern_that_matches_no_type_is_found() -> None:
    assert unknown_patterns(["submission.*", "*", "submision.*", "exam"], list(EventType)) == ["submision.*", "exam"]


def test_one_rejected_event_does_not_make_an_endpoint_down() -> None:
    assert [Health(consecutive_failures=count).is_down for count in range(5)] == [False, False, False, True, True]


def test_the_url_and_the_secret_are_in_no_repr() -> None:
    assert "token" not in repr(ENDPOINT)
    assert "sealed" not in repr(ENDPOINT)
