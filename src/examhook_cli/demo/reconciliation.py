"""Compares expected with received events.

The expected events follow from the simulator's ledger alone. A poll sees only the current state: of all entries about
an attempt between two polls, the last status counts, and a new score only if no status changed. Of an exam, only its
availability at the poll counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from examhook_cli.listener.server import Received
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
    """Content of one event, without its id."""

    exam_id: str
    candidate_id: str
    """Empty for an event about an exam."""
    started_at: int
    event_type: str
    score: str
    """Points; empty for none."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One received message."""

    event_id: str
    fact: Fact
    verified: bool
    """Whether the signature is valid; always true for a message from a queue."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Expected and received events of one receiver."""

    receiver: str
    expected: int
    distinct: int
    """Number of received event ids."""
    repeated: int
    """Repeated messages; a retry may repeat an event under its id."""
    missing: tuple[Fact, ...]
    extra: tuple[Fact, ...]
    unverified: int

    @property
    def agrees(self) -> bool:
        """Whether exactly the expected events arrived, all with a valid signature."""
        return not self.missing and not self.extra and not self.unverified


def exam_fact(exam_id: str, event_type: str) -> Fact:
    """Content of an event about an exam."""
    return Fact(exam_id, "", 0, event_type, "")


def expected_facts(intervals: Iterable[Sequence[LedgerEntry]]) -> Counter[Fact]:
    """Events to announce for the ledger entries of each interval between two polls."""
    return Counter(
        fact for entries in intervals for facts in (_submission_facts, _exam_facts) for fact in facts(entries)
    )


def _submission_facts(entries: Sequence[LedgerEntry]) -> Iterable[Fact]:
    about_attempts = sorted((entry for entry in entries if entry.kind in _TYPE_OF_KIND), key=_attempt_key)
    for (exam_id, candidate_id, started_at), group in groupby(about_attempts, key=_attempt_key):
        history = sorted(group, key=lambda entry: entry.n)
        statuses = [entry for entry in history if entry.kind != "rescored"]
        kind = (statuses or history)[-1].kind
        score = None if kind in ("started", "reopened") else history[-1].score
        yield Fact(exam_id, candidate_id, started_at, _TYPE_OF_KIND[kind], _score_text(score))


def _exam_facts(entries: Sequence[LedgerEntry]) -> Iterable[Fact]:
    kinds_by_exam: dict[str, list[str]] = {}
    for entry in entries:
        if entry.kind in _OPENINGS + _CLOSINGS:
            kinds_by_exam.setdefault(entry.exam_id, []).append(entry.kind)
    for exam_id, kinds in kinds_by_exam.items():
        was_available, is_available = kinds[0] in _CLOSINGS, kinds[-1] in _OPENINGS
        if was_available is not is_available:
            yield exam_fact(exam_id, "exam.opened" if is_available else "exam.closed")


def _attempt_key(entry: LedgerEntry) -> tuple[str, str, int]:
    return (str(entry.exam_id), str(entry.candidate_id), int(entry.started_at or 0))


def _score_text(score: float | None) -> str:
    return "" if score is None else f"{float(score):g}"


def arrival_of(body: bytes, *, verified: bool = True) -> Arrival:
    """The event in ``body``; raises ValueError or KeyError for anything else."""
    event = json.loads(body)
    data = event["data"]
    if str(event["type"]).startswith("exam."):
        return Arrival(event["id"], exam_fact(data["exam"]["id"], event["type"]), verified)
    submission = data["submission"]
    fact = Fact(
        exam_id=data["exam"]["id"],
        candidate_id=data["candidate"]["id"],
        started_at=int(datetime.fromisoformat(submission["started_at"]).timestamp()),
        event_type=event["type"],
        score=_score_text(submission["score"]),
    )
    return Arrival(event["id"], fact, verified)


def accepted(received: Iterable[Received]) -> list[Arrival]:
    """Requests that a webhook receiver accepted, and those with an invalid signature."""
    return [
        arrival_of(each.body, verified=each.verified)
        for each in received
        if 200 <= each.answered < 300 or not each.verified  # noqa: PLR2004 - the range of success
    ]


def reconcile(receiver: str, expected: Mapping[Fact, int], arrivals: Sequence[Arrival]) -> Reconciliation:
    """Compare the distinct events that arrived with the expected ones."""
    by_id = {arrival.event_id: arrival.fact for arrival in arrivals}
    actual, wanted = Counter(by_id.values()), Counter(expected)
    return Reconciliation(
        receiver=receiver,
        expected=wanted.total(),
        distinct=len(by_id),
        repeated=len(arrivals) - len(by_id),
        missing=tuple(sorted((wanted - actual).elements())),
        extra=tuple(sorted((actual - wanted).elements())),
        unverified=sum(not arrival.verified for arrival in arrivals),
    )
