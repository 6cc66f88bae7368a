"""Which attempts an erasure covers, and what remains of an erased candidate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.erased import Erased, hash_of, without_erased
from examhook.detection.exam_state import ExamState, ScanCursor
from examhook.model import AttemptKey
from tests.support.events.model_values import STARTED_AT, exam

KEY = b"k" * 32
ERASED = Erased({hash_of("19382", KEY): STARTED_AT}, KEY)


def test_only_earlier_attempts_of_the_candidate_are_covered() -> None:
    assert ERASED.covers(AttemptKey(STARTED_AT, "19382"))
    assert ERASED.covers(AttemptKey(STARTED_AT - 1, "19382"))
    assert not ERASED.covers(AttemptKey(STARTED_AT + 1, "19382"))
    assert not ERASED.covers(AttemptKey(STARTED_AT, "19383"))
    assert not Erased().covers(AttemptKey(STARTED_AT, "19382"))


def test_a_hash_cannot_be_matched_without_the_key() -> None:
    assert "19382" not in hash_of("19382", KEY)
    assert hash_of("19382", KEY) != hash_of("19382", b"o" * 32)
    assert KEY.hex() not in repr(ERASED)
    assert "k" * 32 not in repr(ERASED)


@given(candidate_id=st.text(min_size=1), other=st.text(min_size=1))
def test_every_id_has_its_own_hash(candidate_id: str, other: str) -> None:
    assert (hash_of(candidate_id, KEY) == hash_of(other, KEY)) == (candidate_id == other)


def test_a_state_loses_the_running_attempts_of_the_erased_and_keeps_the_others() -> None:
    gone, stays = AttemptKey(STARTED_AT, "19382"), AttemptKey(STARTED_AT, "7")
    state = ExamState(
        "main", exam(), row_count=4, running=(gone, stays), running_count=2, cursor=ScanCursor(5, gone, began_at=1)
    )
    after = without_erased(state, ERASED)
    assert after is not None
    assert (after.running, after.running_count, after.row_count) == ((stays,), 1, 4)
    assert after.cursor == ScanCursor(5, None, began_at=1)
    assert without_erased(after, ERASED) is None
