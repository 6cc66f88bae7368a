"""The bounds that are promised, held against polls over tables in memory."""

from __future__ import annotations

from decimal import Decimal

import pytest
from memory_tables import MemoryExams, MemorySubmissions
from played_provider import Stage, row

from examhook.detection.plan import COLD_FACTOR
from examhook.detection.worst_case import WorstCase, worst_case_s

POLL_S, FULL_PASS_S = 60, 300
BOUNDS: WorstCase = worst_case_s(poll_seconds=POLL_S, full_pass_seconds=FULL_PASS_S)


@pytest.fixture
def quiet() -> Stage:
    """An exam in which nothing has happened for so long that its full passes are as rare as they get."""
    stage = Stage(MemorySubmissions(), MemoryExams())
    stage.provider.add("7", row(1), row(2))
    for _ in range(COLD_FACTOR * 3):
        poll_after(stage, FULL_PASS_S)
    return stage


def poll_after(stage: Stage, seconds: int) -> None:
    stage.provider.clock += seconds
    assert not stage.poll(full_pass_seconds=FULL_PASS_S, poll_seconds=POLL_S).errors


def seconds_until(stage: Stage, event: str, bound_s: int) -> int:
    """How long it takes until ``event`` is announced, no longer than ``bound_s`` and a poll."""
    happened_at = stage.provider.clock
    while event not in stage.events() and stage.provider.clock - happened_at <= bound_s:
        poll_after(stage, POLL_S)
    assert event in stage.events()
    return stage.provider.clock - happened_at


def just_after_a_full_pass(stage: Stage) -> None:
    asked = False
    while not asked:
        poll_after(stage, POLL_S)
        asked = "7" in stage.provider.asked


def test_a_mark_in_a_quiet_exam(quiet: Stage) -> None:
    just_after_a_full_pass(quiet)
    quiet.provider.change("7", row(1, score_points=Decimal(77)))
    taken_s = seconds_until(quiet, "1 rescored", BOUNDS["cold"])
    assert FULL_PASS_S < taken_s <= BOUNDS["cold"]


def test_a_mark_in_a_lively_exam(quiet: Stage) -> None:
    quiet.provider.add("7", row(9, ended_at=quiet.provider.clock))
    just_after_a_full_pass(quiet)
    just_after_a_full_pass(quiet)
    quiet.provider.change("7", row(1, score_points=Decimal(77)))
    assert seconds_until(quiet, "1 rescored", BOUNDS["unhinted"]) <= BOUNDS["unhinted"]


@pytest.mark.parametrize("left", [0, 1])
def test_a_removal_in_a_quiet_exam(quiet: Stage, left: int) -> None:
    just_after_a_full_pass(quiet)
    quiet.provider.rows["7"] = quiet.provider.rows["7"][:left]
    taken_s = seconds_until(quiet, "2 removed", BOUNDS["removed"])
    assert BOUNDS["cold"] < taken_s <= BOUNDS["removed"]


def test_what_hints_show(quiet: Stage) -> None:
    quiet.provider.add("7", row(5, status_code=0, started_at=quiet.provider.clock + 1))
    assert seconds_until(quiet, "5 started", BOUNDS["hinted"]) == BOUNDS["hinted"] == POLL_S
    quiet.provider.change("7", row(5, started_at=quiet.provider.rows["7"][0].started_at, ended_at=quiet.provider.clock))
    assert seconds_until(quiet, "5 submitted", BOUNDS["hinted"]) == POLL_S


def test_every_report_holds_the_bounds_of_its_settings(quiet: Stage) -> None:
    body = quiet.poll(full_pass_seconds=7200, poll_seconds=10).body()
    assert body["worst_case_s"] == worst_case_s(poll_seconds=70, full_pass_seconds=7200)
