"""``examhook backfill`` against a fake AWS endpoint: its requests to Poll, how it continues, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack

PLACE = {"began_at": 1_790_000_000, "announcing": True, "exam_id": "7", "after": "1790000000#9"}
GO = {
    "requests": 12,
    "exams": 3,
    "exams_left": 0,
    "rows_under_way": 0,
    "announced": 2,
    "known": 1,
    "errors": [],
    "notes": [],
    "busy": False,
    "done": True,
    "place": PLACE,
}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    with installed_stack(monkeypatch) as stack:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", stack.front.url)
        yield stack


def answers(stack: InstalledStack, *goes: dict[str, object]) -> None:
    """The goes that Poll answers, the last one again and again."""
    bodies = [json.dumps({**GO, **go}).encode() for go in goes]
    stack.front.function_answers, stack.front.function_answer = bodies[:-1], bodies[-1]


def asked(stack: InstalledStack) -> list[object]:
    return [payload for _, payload in stack.front.invocations]


def test_it_goes_on_until_all_is_done_and_adds_up(stack: InstalledStack) -> None:
    answers(stack, {"done": False, "exams_left": 2}, {})
    finished = examhook("backfill", "--since", "2026-05-03T14:02:00Z", "--account", "north", "--exam", "7,8")
    assert (finished.exit_code, finished.err) == (0, "")
    assert finished.out == "3 exams, 24 requests: 4 events announced, 2 announced before.\n"
    wish = {"since": 1_777_816_920, "exam_ids": ["7", "8"], "dry_run": False}
    assert asked(stack) == [
        {"account": "north", "backfill": {**wish, "place": None}},
        {"account": "north", "backfill": {**wish, "place": PLACE}},
    ]
    assert stack.front.invocations[0][0] == "/2015-03-31/functions/examhook-poll/invocations"


def test_json_is_one_document(stack: InstalledStack) -> None:
    answers(stack, {})
    finished = examhook("backfill", "--since", "2h", "--dry-run", "--json")
    assert finished.json() == {
        "dry_run": True,
        "requests": 12,
        "exams": 3,
        "announced": 2,
        "known": 1,
        "complete": True,
        "errors": [],
        "notes": [],
    }


def test_what_could_not_be_read_is_told_and_exit_status_1(stack: InstalledStack) -> None:
    answers(stack, {"done": False, "exams_left": 1, "notes": ["exam 7: 2 of its rows have no status"]}, {})
    finished = examhook("backfill", "--since", "2h")
    assert finished.exit_code == 1
    assert finished.err == (
        "Not complete: exam 7: 2 of its rows have no status. Run the command again later; it repeats no event.\n"
    )


def test_a_refused_code_is_asked_about_once(stack: InstalledStack) -> None:
    answers(stack, {"done": False, "place": None, "exams": 0, "errors": ["The provider refuses the account code."]})
    finished = examhook("backfill", "--since", "2h")
    assert (finished.exit_code, len(asked(stack))) == (1, 1)
    assert "The provider refuses the account code." in finished.err


def test_a_backfill_that_comes_no_further_stops(stack: InstalledStack) -> None:
    answers(stack, {"done": False, "exams_left": 1, "errors": ["Exam 7 could not be read: it does not answer."]})
    finished = examhook("backfill", "--since", "2h")
    assert (finished.exit_code, len(asked(stack))) == (1, 2)
    assert "makes no progress. Exam 7 could not be read" in finished.err


def test_it_waits_while_another_poll_runs_but_not_for_ever(stack: InstalledStack) -> None:
    busy: dict[str, object] = {"busy": True, "done": False, "place": None}
    answers(stack, busy, busy, busy, {})
    assert examhook("backfill", "--since", "2h").exit_code == 0
    answers(stack, {**busy, "errors": ["Another poll is running."]})
    finished = examhook("backfill", "--since", "2h")
    assert (finished.exit_code, "Another poll is running" in finished.err) == (1, True)
    assert len(asked(stack)) <= 4 + 11


@pytest.mark.parametrize("answer", [b"null", b"{}", b"not json"])
def test_an_answer_in_another_form_is_said_so(stack: InstalledStack, answer: bytes) -> None:
    stack.front.function_answer = answer
    finished = examhook("backfill", "--since", "2h")
    assert (finished.exit_code, "deploy the stack" in finished.err) == (1, True)


def test_a_function_that_breaks_off_is_said_so_and_what_to_do(stack: InstalledStack) -> None:
    stack.front.function_error = "Unhandled"
    stack.front.function_answer = b'{"errorMessage": "Account main has no exam 9."}'
    finished = examhook("backfill", "--since", "2h", "--exam", "9")
    assert finished.exit_code == 1
    assert finished.err.startswith(
        "The backfill failed; run the command again to continue: Account main has no exam 9."
    )


@pytest.mark.usefixtures("stack")
def test_without_a_time_it_is_wrong_usage() -> None:
    assert examhook("backfill").exit_code == 2
    assert examhook("backfill", "--since", "soon").exit_code == 2
