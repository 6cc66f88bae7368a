"""What can happen at the provider, as values that a random test draws and a world plays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

from examhook.model import Status
from examhook_simulator.facts import AttemptCount, AttemptRef, TruthRow
from examhook_simulator.world import World

MAX_EXAMS = 3
MAX_ROWS = 9
"""Rows of one exam at most: three pages and more where a page holds three."""

LONG_AGO_S = 5_000
"""How far back the past of an exam lies, and attempts that show up late."""


class Kind(StrEnum):
    """Everything that can happen."""

    START = "start"
    RETAKE = "retake"
    SHOW_LATE = "show late"
    """An attempt that began and ended in the past is listed only now."""
    SUBMIT = "submit"
    TIME_OUT = "time out"
    FORCE = "force"
    SYSTEM_SUBMIT = "system submit"
    MARK = "mark"
    REOPEN = "reopen"
    REMOVE = "remove"
    CREATE_EXAM = "create exam"
    OPEN_EXAM = "open exam"
    CLOSE_EXAM = "close exam"
    SET_COUNT = "set count"
    WAIT = "wait"


_OFTEN = (Kind.START, Kind.SUBMIT, Kind.WAIT)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens; where there is nothing that it can happen to, nothing does."""

    kind: Kind
    pick: int = 0
    """To which of those it can happen to, counted round."""
    amount: int = 0
    """Points, seconds, or what else the kind needs."""

    def __repr__(self) -> str:
        return f"Act(Kind.{self.kind.name}, {self.pick}, {self.amount})"


ACTS = st.builds(Act, st.sampled_from([*Kind, *_OFTEN]), st.integers(0, 11), st.integers(0, 6))


def play(world: World, act: Act) -> None:
    """Let ``act`` happen now."""
    if act.kind is Kind.WAIT:
        world.advance((0, 1, 30, 60, 130, 310, 700)[act.amount % 7])
    elif act.kind is Kind.CREATE_EXAM:
        if len(world.exams()) < MAX_EXAMS:
            world.create_exam(counts=_counts(act))
    elif act.kind in _WITH_EXAM:
        _with_exam(world, act)
    else:
        _with_attempt(world, act)


def _counts(act: Act) -> AttemptCount:
    return list(AttemptCount)[act.amount % len(AttemptCount)]


_WITH_EXAM = frozenset(
    {Kind.START, Kind.RETAKE, Kind.SHOW_LATE, Kind.OPEN_EXAM, Kind.CLOSE_EXAM, Kind.SET_COUNT},
)


def _with_exam(world: World, act: Act) -> None:
    opens = act.kind is Kind.OPEN_EXAM
    exams = [
        exam for exam in world.exams() if act.kind in {Kind.SHOW_LATE, Kind.SET_COUNT} or exam.available is not opens
    ]
    if not exams:
        return
    exam = exams[act.pick % len(exams)]
    exam_id = str(exam.exam_id)
    now = world.now()
    match act.kind:
        case Kind.OPEN_EXAM:
            world.open_exam(exam_id)
        case Kind.CLOSE_EXAM:
            world.close_exam(exam_id)
        case Kind.SET_COUNT:
            world.set_attempt_count(_counts(act), exam_id)
        case Kind.SHOW_LATE if len(exam) < MAX_ROWS:
            # Between a moment and some hours ago: before the watch on the account began, or after.
            ended_at = now - (0, 1, 20, 100, 400, 1_000, LONG_AGO_S)[act.amount % 7]
            world.submit(world.start(exam_id, at=ended_at - 10), act.amount * 10, at=ended_at)
        case Kind.START if len(exam) < MAX_ROWS:
            world.start(exam_id)
        case Kind.RETAKE if 0 < len(exam) < MAX_ROWS:
            rows = exam.rows()
            candidate = rows[act.amount % len(rows)].candidate_id
            # Two attempts of one candidate that began in the same second are one to everybody, also if one is gone.
            if not any((each.candidate_id, each.started_at) == (str(candidate), now) for each in world.ledger()):
                world.start(exam_id, str(candidate))
        case _:
            pass


def _with_attempt(world: World, act: Act) -> None:
    happen, possible = _OF_ATTEMPTS[act.kind]
    refs = [row.ref for row in world.truth() if possible(row)]
    if refs:
        happen(world, refs[act.pick % len(refs)], act.amount * 12.5)


def _is_open(row: TruthRow) -> bool:
    return row.status == Status.IN_TEST


def _is_final(row: TruthRow) -> bool:
    return not _is_open(row)


def _reopen(world: World, ref: AttemptRef, _: float) -> None:
    # A candidate cannot submit, be reopened and submit again within one second: only the status would show it.
    world.advance(1)
    world.reopen(ref)


_OF_ATTEMPTS: Mapping[Kind, tuple[Callable[[World, AttemptRef, float], None], Callable[[TruthRow], bool]]] = {
    Kind.SUBMIT: (World.submit, _is_open),
    Kind.TIME_OUT: (World.time_out, _is_open),
    Kind.FORCE: (World.force, _is_open),
    Kind.SYSTEM_SUBMIT: (World.system_submit, _is_open),
    Kind.MARK: (World.mark, _is_final),
    Kind.REOPEN: (_reopen, _is_final),
    Kind.REMOVE: (lambda world, ref, _: world.remove(ref), lambda _: True),
}
