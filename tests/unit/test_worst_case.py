"""The worst-case bounds that are promised, compared with polls over tables in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Unpack

import pytest

from examhook.detection.intervals import IDLE_FACTOR, WorstCase, longest_gap_s, worst_case_s
from tests.support.events.model_values import RowFields
from tests.support.provider.memory_provider import MemoryStage, row, state

POLL_S, FULL_SCAN_S = 60, 300
BOUNDS: WorstCase = worst_case_s(poll_s=POLL_S, full_scan_s=FULL_SCAN_S)


@pytest.fixture
def quiet() -> MemoryStage:
    """An exam that has been idle long enough for its full scans to be as rare as they get."""
    stage = MemoryStage()
    stage.provider.add("7", row(1), row(2))
    for _ in range(IDLE_FACTOR * 3):
        poll_after(stage, FULL_SCAN_S)
    return stage


def poll_after(stage: MemoryStage, seconds: int) -> None:
    stage.provider.clock += seconds
    assert not stage.poll(manual=False, full_scan_interval_s=FULL_SCAN_S, poll_interval_s=POLL_S).errors


def seconds_until(stage: MemoryStage, event: str, bound_s: int) -> int:
    """How long it takes until ``event`` is announced by polls each of which the scheduler starts as late as it may."""
    happened_at = stage.provider.clock
    while event not in stage.events() and stage.provider.clock - happened_at <= bound_s:
        poll_after(stage, longest_gap_s(POLL_S))
    assert event in stage.events()
    return stage.provider.clock - happened_at


def after_scan(stage: MemoryStage) -> None:
    """Poll until the exam was scanned just now."""
    scanned_at = state(stage).scanned_at
    while state(stage).scanned_at == scanned_at:
        poll_after(stage, POLL_S)


def change(**facts: Unpack[RowFields]) -> Callable[[MemoryStage], None]:
    def happens(stage: MemoryStage) -> None:
        stage.provider.change("7", row(1, **facts))

    return happens


def unseen(stage: MemoryStage) -> None:
    """Somebody submits, and the attempt count does not show it."""
    count = stage.provider.exams_listed["7"].attempt_count
    stage.provider.add("7", row(5, started_at=stage.provider.clock, ended_at=stage.provider.clock))
    stage.provider.exams_listed["7"] = replace(stage.provider.exams_listed["7"], attempt_count=count)


def test_a_rescore_in_a_quiet_exam(quiet: MemoryStage) -> None:
    after_scan(quiet)
    change(score_points=Decimal(77))(quiet)
    taken_s = seconds_until(quiet, "1 rescored", BOUNDS["rescored_idle"])
    assert FULL_SCAN_S < taken_s <= BOUNDS["rescored_idle"]


def test_a_rescore_in_an_active_exam(quiet: MemoryStage) -> None:
    quiet.provider.add("7", row(9, ended_at=quiet.provider.clock))
    after_scan(quiet)
    after_scan(quiet)
    change(score_points=Decimal(77))(quiet)
    assert seconds_until(quiet, "1 rescored", BOUNDS["rescored"]) <= BOUNDS["rescored"]


@pytest.mark.parametrize("left", [0, 1])
def test_a_removal_in_a_quiet_exam(quiet: MemoryStage, left: int) -> None:
    after_scan(quiet)
    quiet.provider.rows["7"] = quiet.provider.rows["7"][:left]
    taken_s = seconds_until(quiet, "2 removed", BOUNDS["removed"])
    assert FULL_SCAN_S < taken_s <= BOUNDS["removed"]


@pytest.mark.parametrize("oldest_first", [False, True])
def test_an_attempt_in_a_quiet_exam_that_no_count_shows(quiet: MemoryStage, oldest_first: bool) -> None:  # noqa: FBT001
    quiet.provider.oldest_first = oldest_first
    after_scan(quiet)
    after_scan(quiet)
    unseen(quiet)
    assert seconds_until(quiet, "5 submitted", BOUNDS["rotation"]) <= BOUNDS["rotation"]


def test_an_attempt_in_an_active_exam_that_no_count_shows(quiet: MemoryStage) -> None:
    quiet.provider.add("7", row(9, ended_at=quiet.provider.clock))
    poll_after(quiet, POLL_S)
    unseen(quiet)
    assert seconds_until(quiet, "5 submitted", BOUNDS["active"]) <= BOUNDS["active"]


def test_what_the_attempt_count_or_a_running_attempt_shows(quiet: MemoryStage) -> None:
    started_at = quiet.provider.clock + 1
    quiet.provider.add("7", row(5, status_code=0, started_at=started_at))
    assert seconds_until(quiet, "5 started", BOUNDS["signalled"]) == BOUNDS["signalled"]
    quiet.provider.change("7", row(5, started_at=started_at, ended_at=quiet.provider.clock))
    assert seconds_until(quiet, "5 submitted", BOUNDS["signalled"]) == BOUNDS["signalled"]


def test_every_report_holds_the_bounds_of_its_settings(quiet: MemoryStage) -> None:
    body = quiet.poll(full_scan_interval_s=7200, poll_interval_s=10).body()
    assert body["worst_case_s"] == worst_case_s(poll_s=10, full_scan_s=7200)
