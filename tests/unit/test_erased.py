"""Whom an erasure covers, and what is left to see of an erased candidate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from builders import ENDED_AT, STARTED_AT, attempt, exam
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.erased import Erased, as_if_stored, blank, forgotten, hash_of
from examhook.detection.transition import Observation, change_from
from examhook.detection.watch import ExamWatch, PassProgress
from examhook.model import AttemptKey

KEY = b"k" * 32
ERASED = Erased({hash_of("19382", KEY): STARTED_AT}, KEY)
OBSERVATION = Observation("main", exam(), observed_at=ENDED_AT, fence=1)


def test_attempts_of_the_candidate_that_began_before_are_covered_and_no_others() -> None:
    assert ERASED.covers(AttemptKey(STARTED_AT, "19382"))
    assert ERASED.covers(AttemptKey(STARTED_AT - 1, "19382"))
    assert not ERASED.covers(AttemptKey(STARTED_AT + 1, "19382"))
    assert not ERASED.covers(AttemptKey(STARTED_AT, "19383"))
    assert not Erased().covers(AttemptKey(STARTED_AT, "19382"))


def test_a_hash_means_nothing_without_the_key() -> None:
    assert "19382" not in hash_of("19382", KEY)
    assert hash_of("19382", KEY) != hash_of("19382", b"o" * 32)
    assert KEY.hex() not in repr(ERASED)
    assert "k" * 32 not in repr(ERASED)


@given(candidate_id=st.text(min_size=1), other=st.text(min_size=1))
def test_every_id_has_a_hash_of_its_own(candidate_id: str, other: str) -> None:
    assert (hash_of(candidate_id, KEY) == hash_of(other, KEY)) == (candidate_id == other)


def test_a_blank_row_says_nothing_but_that_it_is_there_and_is_never_news() -> None:
    row = blank(attempt(status_code=0, score_points=Decimal(3)))
    assert row.key == attempt().key
    assert (row.candidate_name, row.result_url, row.score_points, row.passed) == (None, None, None, None)
    assert row.is_final
    for later in (attempt(), attempt(status_code=2), attempt(status_code=0), attempt(score_points=Decimal(1))):
        assert blank(later) == row
    assert change_from(as_if_stored(row, "main", exam(), ENDED_AT), row, OBSERVATION) is None


def test_a_watch_forgets_the_running_attempts_of_the_erased_and_keeps_the_others() -> None:
    gone, stays = AttemptKey(STARTED_AT, "19382"), AttemptKey(STARTED_AT, "7")
    progress = PassProgress(
        start=5, last=gone, began_at=1, rows=2, digest=3, open_attempts=(gone, stays), open_places=(1, 4)
    )
    watch = ExamWatch(exam(), rows=4, open_count=2, open_attempts=(gone, stays), progress=progress)
    after = forgotten(watch, ERASED)
    assert after is not None
    assert (after.open_attempts, after.open_count, after.rows) == ((stays,), 1, 4)
    assert after.progress == replace(progress, last=None, open_attempts=(stays,), open_places=(4,))
    assert forgotten(after, ERASED) is None
