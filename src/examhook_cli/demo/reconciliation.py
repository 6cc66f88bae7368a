"""What the receivers should get, worked out from the simulator's ledger alone.

Of one attempt, a poll sees only where it stands, so of all that happened to it between two polls the
last status counts, and a marking only where no status changed. Of an exam it sees only whether it is
available then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from examhook_simulator.facts import LedgerEntry

_TYPE_OF_KIND = {
    "started": "submission.started",
    "submitted": "submission.submitted",
    "timed_out": "submission.timed_out",
    "forced": "submission.forced",
    "system_submitted": "submission.system_submitted",
    "reopened": "submission.reopened",
    "rescored": "submission.rescored",
}


_OPENINGS = ("exam_created", "exam_opened")
_CLOSINGS = ("exam_closed",)


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One event, told by what it says and not by its id."""

    exam_id: str
    candidate_id: str
    """Empty, like all that follows but the type, in an event about the exam itself."""
    started_at: int
    event_type: str
    score: str
    """Points as text; empty when there are none."""


def exam_fact(exam_id: str, event_type: str) -> Fact:
    """An event about an exam itself."""
    return Fact(exam_id, "", 0, event_type, "")


def expected_facts(intervals: Iterable[Sequence[LedgerEntry]]) -> Counter[Fact]:
    """Facts to announce for the ledger entries of each interval between two polls."""
    return Counter(
        fact for entries in intervals for facts in (_facts_of_interval, _facts_of_exams) for fact in facts(entries)
    )


def _facts_of_interval(entries: Sequence[LedgerEntry]) -> Iterable[Fact]:
    about_attempts = [entry for entry in entries if entry.kind in _TYPE_OF_KIND]
    for (exam_id, candidate_id, started_at), group in groupby(sorted(about_attempts, key=_attempt), key=_attempt):
        story = sorted(group, key=lambda entry: entry.n)
        statuses = [entry for entry in story if entry.kind != "rescored"]
        kind = (statuses or story)[-1].kind
        score = None if kind in ("started", "reopened") else story[-1].score
        yield Fact(exam_id, candidate_id, started_at, _TYPE_OF_KIND[kind], score_text(score))


def _facts_of_exams(entries: Sequence[LedgerEntry]) -> Iterable[Fact]:
    about_exams: dict[str, list[str]] = {}
    for entry in entries:
        if entry.kind in _OPENINGS + _CLOSINGS:
            about_exams.setdefault(entry.exam_id, []).append(entry.kind)
    for exam_id, kinds in about_exams.items():
        was_available, is_available = kinds[0] in _CLOSINGS, kinds[-1] in _OPENINGS
        if was_available is not is_available:
            yield exam_fact(exam_id, "exam.opened" if is_available else "exam.closed")


def _attempt(entry: LedgerEntry) -> tuple[str, str, int]:
    return (str(entry.exam_id), str(entry.candidate_id), int(entry.started_at or 0))


def score_text(score: float | None) -> str:
    """A score as both sides of a comparison write it."""
    return "" if score is None else f"{float(score):g}"
