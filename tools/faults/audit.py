"""The ledger of what happened at the provider against what one receiver took.

A poll sees only where an attempt stands, so of several changes between two polls only the last can be announced. Hence
what is held against the receiver:

- nothing lost: of each attempt, the newest event says how the attempt ended in truth, with its score;
- nothing invented: no type comes under more ids than the ledger has entries for it, and no score that never was;
- repeated under the same id only, and then with the same facts.
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
    # A score that changes between two polls looks alike, whether it was marked or the attempt was made anew.
    "submission.rescored": (LedgerKind.RESCORED, LedgerKind.REOPENED),
    "submission.reopened": (LedgerKind.REOPENED,),
    "submission.removed": (LedgerKind.REMOVED,),
}
_RESCORED = "submission.rescored"

Attempt = tuple[str, str, int]
"""Exam, candidate, start (Unix seconds)."""


class EventFields(TypedDict):
    """One event that a receiver took, as far as it is compared."""

    id: str
    type: str
    revision: int
    attempt: Attempt
    score: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the events for one receiver."""

    events: int
    """Different ids."""
    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()
    repeated: int = 0
    """Arrivals of an id that had come before, with the same facts."""

    @property
    def good(self) -> bool:
        """Whether nothing was lost and nothing invented."""
        return not self.lost and not self.invented


def fields_of(body: bytes) -> EventFields | None:
    """The event in ``body``; None where it is about no submission."""
    event = json.loads(body)
    if not str(event["type"]).startswith("submission."):
        return None
    data = event["data"]
    began_at = int(datetime.fromisoformat(data["submission"]["started_at"]).timestamp())
    return {
        "id": event["id"],
        "type": event["type"],
        "revision": revision_of(event),
        "attempt": (data["exam"]["id"], data["candidate"]["id"], began_at),
        "score": data["submission"]["score"],
    }


def revision_of(event: Mapping[str, object]) -> int:
    """The attribute that grows with each event of one submission or exam; versions before 1.0 called it sequence."""
    return int(str(event["revision"] if "revision" in event else event["sequence"]))


def audit(ledger: Iterable[LedgerEntry], bodies: Iterable[bytes], past: frozenset[str] = frozenset()) -> Verdict:
    """Hold ``ledger`` (of attempts that all began after the first contact) against the events in ``bodies``.

    Events of exams that ``ledger`` does not name belong to another audit, but for those in ``past``, which have had
    no change since the first contact: each event of theirs is invented.
    """
    stories: dict[Attempt, list[LedgerEntry]] = defaultdict(list)
    for entry in ledger:
        if entry.candidate_id is not None and entry.started_at is not None:
            stories[entry.exam_id, entry.candidate_id, entry.started_at].append(entry)
    judged = past | _exams(stories)
    arrivals = [found for found in map(fields_of, bodies) if found is not None and found["attempt"][0] in judged]
    by_id: dict[str, EventFields] = {}
    invented = [
        f"{arrival['id']} came with other facts than before"
        for arrival in arrivals
        if by_id.setdefault(arrival["id"], arrival) != arrival
    ]
    told: dict[Attempt, list[EventFields]] = defaultdict(list)
    for event in by_id.values():
        told[event["attempt"]].append(event)
    for attempt, events in told.items():
        invented += _invented(attempt, stories.get(attempt, ()), events)
    lost = [problem for attempt, story in stories.items() for problem in _lost(attempt, story, told.get(attempt, ()))]
    return Verdict(len(by_id), tuple(lost), tuple(invented), len(arrivals) - len(by_id))


def _exams(stories: Mapping[Attempt, object]) -> set[str]:
    return {attempt[0] for attempt in stories}


def _invented(attempt: Attempt, story: Sequence[LedgerEntry], events: Sequence[EventFields]) -> list[str]:
    happened = Counter(entry.kind for entry in story)
    scores = {entry.score for entry in story} | {None}
    # A score that the provider showed in no readable form when the attempt ended is announced once it can be read.
    completed = sum(event["type"] in _ENDS.values() and event["score"] is None for event in events)
    problems = [
        f"{attempt}: {count} times {name}, which happened less often"
        for name, count in Counter(event["type"] for event in events).items()
        if count > sum(happened[kind] for kind in _CAUSES.get(name, ())) + (completed if name == _RESCORED else 0)
    ]
    return problems + [f"{attempt}: never had {one['score']} points" for one in events if one["score"] not in scores]


def _lost(attempt: Attempt, story: Sequence[LedgerEntry], events: Sequence[EventFields]) -> list[str]:
    newest = max(events, key=lambda event: event["revision"], default=None)
    if story[-1].kind is LedgerKind.REMOVED:
        # What began and went between two polls was seen by nobody.
        wanted = {"submission.removed"} if newest else set[str]()
    else:
        last = next(entry for entry in reversed(story) if entry.kind is not LedgerKind.RESCORED)
        wanted = {_ENDS[last.kind], _RESCORED} if last.kind in _ENDS else set[str]()
        if last.kind is LedgerKind.REOPENED and newest:
            wanted = {"submission.reopened"}
    if not wanted:
        return []
    if newest is None or newest["type"] not in wanted:
        return [f"{attempt}: {story[-1].kind} was not told, but {newest['type'] if newest else 'nothing'}"]
    if last_score(story) not in {newest["score"], None}:
        return [f"{attempt}: {last_score(story)} points were not told, but {newest['score']}"]
    return []


def last_score(story: Sequence[LedgerEntry]) -> float | None:
    """Points of an attempt at the end of its story; None where it has none to tell."""
    last = story[-1]
    return last.score if last.kind in _ENDS or last.kind is LedgerKind.RESCORED else None
