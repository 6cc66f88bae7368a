"""``examhook poll`` as a process of its own, against a stand-in for AWS: what it asks, prints, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from examhook.detection.intervals import worst_case_s
from tests.support.aws.aws_stand_in import AwsFront, running_aws_front
from tests.support.cli.command_line import CREDENTIALS, Finished, real_examhook

REPORT: dict[str, object] = {
    "requests": 9,
    "exams": 3,
    "rows": 360,
    "changes": 4,
    "skipped_rows": 0,
    "complete": True,
    "errors": [],
    "notes": [],
    "out_of_time": False,
    "worst_case_s": worst_case_s(poll_s=60, full_scan_s=3600),
}


@pytest.fixture
def front() -> Iterator[AwsFront]:
    with running_aws_front() as front:
        yield front


def run_poll(front: AwsFront, *args: str, report: Mapping[str, object] = REPORT) -> Finished:
    front.function_answer = json.dumps(report).encode()
    return real_examhook("poll", *args, env={**CREDENTIALS, "AWS_ENDPOINT_URL": front.url})


def test_a_poll_invokes_the_function_once_and_prints_its_report_in_words(front: AwsFront) -> None:
    finished = run_poll(front)
    assert finished == Finished(0, "9 requests: 3 exams read, 360 rows, 4 changes.\n", "")
    assert front.invocations == [
        (
            "/2015-03-31/functions/examhook-poll/invocations",
            {"trigger": "manual", "account": None, "full": False},
        )
    ]


def test_account_and_full_reach_the_function(front: AwsFront) -> None:
    run_poll(front, "--account", "north", "--full")
    assert [payload for _, payload in front.invocations] == [{"trigger": "manual", "account": "north", "full": True}]


def test_json_prints_the_report_as_one_document(front: AwsFront) -> None:
    finished = run_poll(front, "--json")
    assert (finished.exit_code, finished.json(), finished.err) == (0, REPORT, "")


def test_a_function_of_an_older_version_states_no_bound(front: AwsFront) -> None:
    older = {name: value for name, value in REPORT.items() if name not in {"worst_case_s", "notes", "out_of_time"}}
    shown = {**older, "out_of_time": False}
    assert run_poll(front, "--json", report=older).json() == shown
    bounds = {"hinted": 60, "unhinted": 3660, "cold": 86_460, "removed": 175_080}
    assert run_poll(front, "--json", report={**older, "worst_case_s": bounds}).json() == shown


def test_an_error_of_the_provider_is_one_sentence_on_standard_error_and_exit_status_1(front: AwsFront) -> None:
    report = {**REPORT, "complete": False, "errors": ["The provider refused the account code."]}
    finished = run_poll(front, "--json", report=report)
    assert (finished.exit_code, finished.json()) == (1, report)
    assert finished.err == "The provider refused the account code.\n"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"out_of_time": True}, "The poll ran out of time; the next one continues.\n"),
        ({"notes": ["exam 7: its rows moved"]}, "Not complete: exam 7: its rows moved.\n"),
        ({}, "The poll could not read everything that was due: see the log of Poll.\n"),
    ],
    ids=["out of time", "with a reason", "without a reason"],
)
def test_a_poll_that_was_not_complete_fails_even_without_an_error(
    front: AwsFront, facts: dict[str, object], said: str
) -> None:
    finished = run_poll(front, report={**REPORT, "complete": False, "skipped_rows": 2, **facts})
    assert finished.exit_code == 1
    assert finished.out == "9 requests: 3 exams read, 360 rows, 4 changes, 2 rows not announced.\n"
    assert finished.err == said


def test_a_function_that_failed_is_reported_in_its_own_words(front: AwsFront) -> None:
    front.function_error = "Unhandled"
    finished = run_poll(front, report={"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"})
    assert finished == Finished(1, "", "The poll failed: Task timed out\n")
    assert len(front.invocations) == 1


@pytest.mark.parametrize("answer", [b"null", b"<html>", b'{"requests": "9"}', b'{"complete": true, "errors": []}'])
def test_an_answer_of_another_form_is_not_taken_for_a_report(front: AwsFront, answer: bytes) -> None:
    front.function_answer = answer
    finished = real_examhook("poll", env={**CREDENTIALS, "AWS_ENDPOINT_URL": front.url})
    assert (finished.exit_code, finished.out) == (1, "")
    assert finished.err.startswith("Poll returned an unknown report")
