"""Exams that the provider's list lacks, for good or for a while: what happens in them is still announced."""

from __future__ import annotations

from decimal import Decimal

import pytest

from examhook.provider.errors import ProviderRejected
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, row


@pytest.fixture
def stage() -> MemoryStage:
    """A stage whose list is never empty."""
    stage = MemoryStage()
    stage.provider.add("1")
    return stage


def unlist(stage: MemoryStage, exam_id: str) -> None:
    """From now on the provider's list lacks the exam; its results can still be asked for."""
    del stage.provider.exams_listed[exam_id]


def test_an_attempt_that_ends_after_its_exam_left_the_list_is_announced(stage: MemoryStage) -> None:
    stage.provider.add("7", row(1, status_code=0))
    stage.poll()
    unlist(stage, "7")
    stage.provider.change("7", row(1, status_code=3, ended_at=BEGAN_AT + 200))
    stage.provider.clock += 300
    report = stage.poll()
    assert (report.complete, stage.events()) == (True, ["1 forced"])


def test_what_nothing_suggests_in_an_exam_that_left_the_list_is_found_by_its_full_scan(stage: MemoryStage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    unlist(stage, "7")
    stage.provider.change("7", row(1, score_points=Decimal(61)))
    stage.provider.clock += 3600
    stage.poll()
    assert stage.events() == ["1 rescored"]


def test_an_exam_whose_results_are_refused_since_it_left_the_list_is_asked_for_once_a_day_and_is_no_error(
    stage: MemoryStage,
) -> None:
    """Its attempts are kept: that the provider does not show them any more is no removal."""
    stage.provider.add("7", row(1, status_code=0), row(2))
    stage.poll()
    unlist(stage, "7")
    stage.provider.failures["7"] = ProviderRejected("The exam does not exist.")
    asked = 0
    for _ in range(48):
        stage.provider.clock += 3600
        report = stage.poll()
        assert (report.complete, report.errors) == (True, [])
        asked += stage.provider.asked.count("7")
    assert asked == 2
    assert stage.events() == []
    assert [one.missing_since for one in stage.stored()] == [None, None]


def test_an_exam_that_was_refused_and_is_listed_again_is_read_at_once(stage: MemoryStage) -> None:
    stage.provider.add("7", row(1, status_code=0))
    stage.poll()
    listed = stage.provider.exams_listed.pop("7")
    stage.provider.failures["7"] = ProviderRejected("The exam does not exist.")
    stage.provider.clock += 300
    stage.poll()
    del stage.provider.failures["7"]
    stage.provider.exams_listed["7"] = listed
    stage.provider.add("7", row(2, ended_at=BEGAN_AT + 200))
    stage.provider.change("7", row(1, status_code=2, ended_at=BEGAN_AT + 250))
    stage.provider.clock += 60
    stage.poll()
    assert stage.events() == ["1 timed_out", "2 submitted"]
