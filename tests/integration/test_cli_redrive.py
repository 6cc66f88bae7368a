"""``examhook events redrive`` against a stand-in for AWS: what it asks of Dispatch, prints, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack

ANSWER = {
    "scanned": 10,
    "missing": 2,
    "dispatched": 2,
    "failed": 0,
    "unreadable": 0,
    "reason": None,
    "next_place": None,
}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    with installed_stack(monkeypatch) as stack:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", stack.front.url)
        yield stack


def test_it_goes_on_where_dispatch_had_to_stop_and_adds_up(stack: InstalledStack) -> None:
    place = {"pk": "main#1", "sk": "2"}
    stack.front.function_answers = [json.dumps({**ANSWER, "next_place": place}).encode()]
    stack.front.function_answer = json.dumps(ANSWER).encode()
    finished = examhook("events", "redrive", "--since", "2026-05-03T14:02:00Z")
    assert (finished.exit_code, finished.out) == (0, "20 submissions checked: 4 events missing, 4 sent.\n")
    first, second = stack.front.invocations
    assert first[0] == "/2015-03-31/functions/examhook-dispatch/invocations"
    assert first[1] == {"redrive": {"since": 1_777_816_920, "place": None, "dry_run": False}}
    assert second[1] == {"redrive": {"since": 1_777_816_920, "place": place, "dry_run": False}}


def test_json_is_one_document(stack: InstalledStack) -> None:
    stack.front.function_answer = json.dumps({**ANSWER, "dispatched": 0}).encode()
    printed = examhook("events", "redrive", "--since", "2h", "--dry-run", "--json").json()
    assert printed == {
        "dry_run": True,
        "scanned": 10,
        "missing": 2,
        "dispatched": 0,
        "failed": 0,
        "unreadable": 0,
        "reason": None,
    }


def test_what_could_not_be_sent_is_exit_status_1(stack: InstalledStack) -> None:
    stack.front.function_answer = json.dumps({**ANSWER, "dispatched": 1, "failed": 1, "reason": "Throttled"}).encode()
    finished = examhook("events", "redrive", "--since", "2h")
    assert (finished.exit_code, "Throttled" in finished.err) == (1, True)


@pytest.mark.parametrize("answer", [b"null", b"{}", b"not json"])
def test_an_answer_in_another_form_is_said_so(stack: InstalledStack, answer: bytes) -> None:
    stack.front.function_answer = answer
    finished = examhook("events", "redrive", "--since", "2h")
    assert (finished.exit_code, "deploy the stack" in finished.err) == (1, True)


def test_a_function_that_breaks_off_is_said_so(stack: InstalledStack) -> None:
    stack.front.function_error = "Unhandled"
    stack.front.function_answer = b'{"errorMessage": "Task timed out after 120 seconds"}'
    finished = examhook("events", "redrive", "--since", "2h")
    assert (finished.exit_code, "timed out" in finished.err) == (1, True)


@pytest.mark.usefixtures("stack")
def test_without_a_time_it_is_wrong_usage() -> None:
    assert examhook("events", "redrive").exit_code == 2
    assert examhook("events", "redrive", "--since", "soon").exit_code == 2
