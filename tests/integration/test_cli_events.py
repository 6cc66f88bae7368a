"""``examhook events``: listings tell no names, one event is shown whole."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from examhook.events.build import endpoint_test_event, submission_event
from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack
from tests.support.events.model_values import ENDED_AT, OBSERVED_AT, STARTED_AT, submission, transition

DAY = "2026-05-03"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    monkeypatch.setattr("examhook_cli.commands.events.time", lambda: float(OBSERVED_AT + 3600))
    with installed_stack(monkeypatch) as stack:
        yield stack


def ids(*args: str) -> list[str]:
    finished = examhook("events", "list", "--json", "--since", DAY, *args)
    assert finished.exit_code == 0, finished.err
    listed = finished.json()
    assert isinstance(listed, list)
    return [each["id"] for each in listed]


def test_the_listing_is_newest_first_and_filters(stack: InstalledStack) -> None:
    of_exam_7 = submission_event(
        submission(exam_id="7"),
        transition(event_id="evt_7", event_type="submission.forced", observed_at=OBSERVED_AT + 60),
    )
    test = endpoint_test_event("ep_1", OBSERVED_AT + 120)
    for event in (of_exam_7, test):
        stack.world.events.add(event, OBSERVED_AT + 10**7)
    first = stack.world.event().event_id
    assert ids() == [test.event_id, "evt_7", first]
    assert ids("--limit", "1") == [test.event_id]
    assert ids("--exam", "7") == ["evt_7"]
    assert ids("--type", "submission.*") == ["evt_7", first]
    assert ids("--type", "submission.forced,endpoint.test") == [test.event_id, "evt_7"]
    assert ids("--since", "2026-05-03T14:03:30Z") == [test.event_id, "evt_7"]


def test_an_item_of_the_listing_says_what_to_compare_with_and_no_name(stack: InstalledStack) -> None:
    event = stack.world.event()
    finished = examhook("events", "list", "--since", DAY, "--json")
    assert finished.json() == [
        {
            "id": event.event_id,
            "type": "submission.submitted",
            "account": "main",
            "exam_id": "23812",
            "candidate_id": "19382",
            "started_at": "2026-05-03T13:32:00Z",
            "status": "submitted",
            "occurred_at": "2026-05-03T14:02:00Z",
            "observed_at": "2026-05-03T14:03:00Z",
            "revision": 1,
            "previous_id": None,
        }
    ]
    assert (event.occurred_at - 1800, event.occurred_at, event.observed_at) == (STARTED_AT, ENDED_AT, OBSERVED_AT)


def test_the_listing_in_a_pipe_is_lines_with_tabs_and_no_name(stack: InstalledStack) -> None:
    event = stack.world.event()
    lines = examhook("events", "list", "--since", DAY).out.splitlines()
    assert lines[1].split("\t") == [
        "2026-05-03T14:03:00Z",
        "submission.submitted",
        "23812",
        "19382",
        "submitted",
        event.event_id,
    ]
    assert "Mei" not in "".join(lines)


@pytest.mark.usefixtures("stack")
def test_an_empty_listing_is_said_beside_the_output() -> None:
    finished = examhook("events", "list", "--since", DAY)
    assert (finished.exit_code, finished.out) == (0, "")
    assert finished.err == "No events since 2026-05-03T00:00:00Z.\n"


def test_days_beyond_the_retention_are_not_asked_for(stack: InstalledStack) -> None:
    event = stack.world.event()
    assert ids("--since", "1970-01-01") == [event.event_id]
    stack.front.outputs["RetentionDays"] = "-3"
    assert ids("--since", "1970-01-01") == []


@pytest.mark.parametrize("args", [["--since", "yesterday"], ["--type", "submission.lost"], ["--limit", "0"]])
@pytest.mark.usefixtures("stack")
def test_what_cannot_be_read_is_wrong_usage(args: list[str]) -> None:
    assert examhook("events", "list", *args).exit_code == 2


def test_one_event_is_shown_whole(stack: InstalledStack) -> None:
    event = stack.world.event()
    for extra in ([], ["--json"]):
        finished = examhook("events", "show", event.event_id, *extra)
        assert finished.json() == json.loads(event.body)
        assert "Mei Chen" in finished.out


@pytest.mark.usefixtures("stack")
def test_an_event_that_is_not_there_is_named() -> None:
    finished = examhook("events", "show", "evt_none")
    assert (finished.exit_code, finished.out) == (1, "")
    assert finished.err.startswith("Event evt_none does not exist or has expired")
