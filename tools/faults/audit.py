"""Compares the provider's ledger with the events that one receiver accepted.

A poll sees only the current state of an attempt, so only the last of several changes between two polls can be
announced. The comparison checks three things:

- Nothing is lost: the newest event about each attempt has the attempt's real end and score.
- Nothing is invented: no event type has more ids than the ledger has entries for it, and every score existed.
- An event repeats only under the same id and with the same facts.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from examhook_simulator.facts import LedgerEntry, LedgerKind

_ENDS = {
    LedgerKind.SUBMITTED: "submission.submitted",
    LedgerKind.TIMED_OUT: "submission.timed_out",
    LedgerKind.FORCED: "submission.forced",
    LedgerKind.SYSTEM_SUBMITTED: "submission.system_submitted",
}
_CAUSES = {
    "submission.started": (LedgerKind.STARTED,),
    **{name: (kind,) for kind, name in _ENDS.items()},
    # Rescoring and a second submission after reopening look the same to a poll.
    "submission.rescored": (LedgerKind.RESCORED, LedgerKind.REOPENED),
    "submission.reopened": (LedgerKind.REOPENED,),
    "submission.removed": (LedgerKind.REMOVED,),
}
_RESCORED = "submission.rescored"

Attempt = tuple[str, str, int]
"""Exam, candidate, start (Unix seconds)."""


class EventFields(TypedDict):
    """The compared fields of one accepted event."""

    id: str
    type: str
    revision: int
    attempt: Attempt
    score: float | None


@dataclass(frozen=True, slots=True)
class Audit:
    """Result of the comparison for one receiver."""

    events: int
    """Distinct ids."""
    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()
    repeated: int = 0
    """Arrivals of a known id with the same facts."""

    @property
    def passed(self) -> bool:
        """Whether nothing was lost or invented."""
        return not self.lost and not self.invented


def fields_of(body: bytes) -> EventFields | None:
    """Parse an event; None if it is not about a submission."""
    event = json.loads(body)
    if not str(event["type"]).startswith("submission."):
        return None
    data = event["data"]
    started_at = int(datetime.fromisoformat(data["submission"]["started_at"]).timestamp())
    return {
        "id": event["id"],
        "type": event["type"],
        "revision": revision_of(event),
        "attempt": (data["exam"]["id"], data["candidate"]["id"], started_at),
        "score": data["submission"]["score"],
    }


def revision_of(event: Mapping[str, object]) -> int:
    """Return the revision of an event; versions before 1.0 call it ``sequence``."""
    return int(str(event["revision"] if "revision" in event else event["sequence"]))


def audit(
    ledger: Iterable[LedgerEntry], bodies: Iterable[bytes], unchanged_exam_ids: frozenset[str] = frozenset()
) -> Audit:
    """Compare a ledger with events.

    Args:
        ledger: entries about attempts that started after the first contact.
        bodies: accepted events. Events about other exams than those of the ledger are ignored.
        unchanged_exam_ids: exams without changes since the first contact; every event about them is invented.
    """
    histories: dict[Attempt, list[LedgerEntry]] = defaultdict(list)
    for entry in ledger:
        if entry.candidate_id is not None and entry.started_at is not None:
            histories[entry.exam_id, entry.candidate_id, entry.started_at].append(entry)
    exam_ids = unchanged_exam_ids | {exam_id for exam_id, _, _ in histories}
    arrivals = [found for found in map(fields_of, bodies) if found is not None and found["attempt"][0] in exam_ids]
    by_id: dict[str, EventFields] = {}
    invented = [
        f"{arrival['id']} arrived again with other facts"
        for arrival in arrivals
        if by_id.setdefault(arrival["id"], arrival) != arrival
    ]
    announced: dict[Attempt, list[EventFields]] = defaultdict(list)
    for event in by_id.values():
        announced[event["attempt"]].append(event)
    for attempt, events in announced.items():
        invented += _invented(attempt, histories.get(attempt, ()), events)
    lost = [
        problem
        for attempt, history in histories.items()
        for problem in _lost(attempt, history, announced.get(attempt, ()))
    ]
    return Audit(len(by_id), tuple(lost), tuple(invented), len(arrivals) - len(by_id))


def _invented(attempt: Attempt, history: Sequence[LedgerEntry], events: Sequence[EventFields]) -> list[str]:
    happened = Counter(entry.kind for entry in history)
    scores = {entry.score for entry in history} | {None}
    # A score that was unreadable at the end of the attempt is announced later as rescored.
    without_score = sum(event["type"] in _ENDS.values() and event["score"] is None for event in events)
    problems = [
        f"{attempt}: {count} events {name}, but fewer such changes"
        for name, count in Counter(event["type"] for event in events).items()
        if count > sum(happened[kind] for kind in _CAUSES.get(name, ())) + (without_score if name == _RESCORED else 0)
    ]
    return problems + [
        f"{attempt}: never had {event['score']} points" for event in events if event["score"] not in scores
    ]


def _lost(attempt: Attempt, history: Sequence[LedgerEntry], events: Sequence[EventFields]) -> list[str]:
    newest = max(events, key=lambda event: event["revision"], default=None)
    wanted = _wanted(history, is_announced=newest is not None)
    if not wanted:
        return []
    if newest is None or newest["type"] not in wanted:
        newest_type = newest["type"] if newest else "missing"
        return [f"{attempt}: {history[-1].kind} was not announced; the newest event is {newest_type}"]
    if last_score(history) not in {newest["score"], None}:
        return [f"{attempt}: {last_score(history)} points were not announced; the newest event has {newest['score']}"]
    return []


def _wanted(history: Sequence[LedgerEntry], *, is_announced: bool) -> set[str]:
    """Return the types of which the newest event must be one; none if no event is due."""
    if history[-1].kind is LedgerKind.REMOVED:
        # No poll saw an attempt that started and was removed between two polls.
        return {"submission.removed"} if is_announced else set()
    last = next(entry for entry in reversed(history) if entry.kind is not LedgerKind.RESCORED)
    if last.kind is LedgerKind.REOPENED and is_announced:
        return {"submission.reopened"}
    return {_ENDS[last.kind], _RESCORED} if last.kind in _ENDS else set()


def last_score(history: Sequence[LedgerEntry]) -> float | None:
    """Return the current score of an attempt in points; None if it has no final status."""
    last = history[-1]
    return last.score if last.kind in _ENDS or last.kind is LedgerKind.RESCORED else None
