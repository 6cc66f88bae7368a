"""Exams that the provider's list lacks, permanently or for a while: their changes are still announced."""

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
    """Remove the exam from the provider's list; its results can still be requested."""
    del stage.provider.exams_listed[exam_id]


def test_an_attempt_that_ends_after_its_exam_left_the_list_is_announced(stage: MemoryStage) -> None:
    stage.provider.add("7", row(1, status_code=0))
    stage.poll()
    unlist(stage, "7")
    stage.provider.change("7", row(1, status_code=3, ended_at=BEGAN_AT + 200))
    stage.provider.clock += 300
    report = stage.poll()
    assert (report.complete, stage.events()) == (True, ["1 forced"])


def test_a_change_without_a_sign_in_an_unlisted_exam_is_found_by_its_full_scan(stage: MemoryStage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    unlist(stage, "7")
    stage.provider.change("7", row(1, score_points=Decimal(61)))
    stage.provider.clock += 3600
    stage.poll()
    assert stage.events() == ["1 rescored"]


def test_an_unlisted_exam_with_rejected_results_is_requested_daily_without_error(
    stage: MemoryStage,
) -> None:
    """Its attempts are kept: a rejection is not a removal."""
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


def test_a_rejected_exam_that_is_listed_again_is_read_at_once(stage: MemoryStage) -> None:
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
