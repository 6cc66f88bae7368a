"""Claims about every event about an exam, after any acts of the world and any interruptions of the pollers.

Nothing is missed: once the world is quiet, the last event about an exam states its availability. Only an exam whose
availability never changed has no event. An exam that was created during the watch and is open was announced.

Nothing is invented: the events of an exam are a subsequence of its openings and closings in turn, each used once, and
each event names the id of the one before. A receipt states what was stored when it was written. The ``v1`` API does not
state whether an exam is open, so it has receipts only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from examhook.detection.exam_state import ExamState
from examhook.detection.exam_transition import ExamChange
from examhook.detection.scan_result import digest_of
from examhook.model import ExamTransition
from examhook.settings import Dialect, InitialSync
from examhook_simulator.facts import LedgerKind
from tests.model.poller import ACCOUNT, Installation

_AVAILABLE_AFTER = {LedgerKind.EXAM_CREATED: True, LedgerKind.EXAM_OPENED: True, LedgerKind.EXAM_CLOSED: False}


def check_exams(installation: Installation) -> None:
    """Raise AssertionError if a claim about exams does not hold."""
    world = installation.provider.world
    told = _events(installation.exam_states.stream)
    states = _states(installation)
    assert told.keys() <= states.keys(), "an event about an exam that there never was"
    ids = [event.event_id for events in told.values() for event in events]
    assert len(ids) == len(set(ids)), "an id was used twice"
    for exam_id, events in told.items():
        _check_chain(exam_id, events)
    if installation.provider.dialect is Dialect.V1:
        changes = [event for events in told.values() for event in events if event.receipt is None]
        assert not changes, f"nothing said whether an exam is open, and it was told: {changes}"
        return
    shown = set(installation.provider.api.shown_exams())
    for exam in (exam for exam in world.exams() if str(exam.exam_id) in shown):
        exam_id = str(exam.exam_id)
        history = installation.exam_states.items.get((ACCOUNT, exam_id))
        assert history is not None, f"{exam_id} was never recorded"
        assert history.exam.available is exam.available, f"{exam_id} is stored as {history}, and is {exam.available}"
        changes = [event for event in told.get(exam_id, []) if event.receipt is None]
        _check_that_it_happened(exam_id, changes, states[exam_id])
        if changes:
            assert changes[-1].available is exam.available, f"{exam_id} was told last to be {changes[-1]}"
        elif exam.available and _was_made_under_the_watch(installation, history):
            raise AssertionError(f"{exam_id} was made under the watch, and never told to be open")


def check_receipts(installation: Installation, *, certifies: bool) -> None:
    """Raise AssertionError unless the last receipt of each exam is true now.

    ``certifies``: every scan reads every status, so that there are receipts.
    """
    # Under the v1 API an exam that nobody has taken yet is not known.
    for exam_id in (exam_id for account, exam_id in installation.exam_states.items if account == ACCOUNT):
        history = installation.exam_states.items[ACCOUNT, exam_id]
        stored = [
            submission.attempt
            for (_, of_exam, _), submission in installation.submissions.items.items()
            if of_exam == exam_id and not submission.removed
        ]
        receipts = [event.receipt for event in history.transitions if event.receipt is not None]
        assert receipts or not certifies, f"{exam_id} was never verified"
        if not certifies:
            continue
        assert receipts[-1].status_counts == Counter(attempt.status_code for attempt in stored), exam_id
        assert receipts[-1].digest == f"{digest_of(stored):016x}", exam_id


def _was_made_under_the_watch(installation: Installation, state: ExamState) -> bool:
    return installation.initial_sync is InitialSync.ANNOUNCE or not state.predates_watch


def _states(installation: Installation) -> dict[str, list[bool]]:
    """Whether each exam was available, from its creation on, without equal neighbours."""
    states: dict[str, list[bool]] = {}
    for entry in installation.provider.world.ledger():
        if entry.kind in _AVAILABLE_AFTER:
            states.setdefault(entry.exam_id, []).append(_AVAILABLE_AFTER[entry.kind])
    return states


def _events(stream: Sequence[ExamChange]) -> Mapping[str, list[ExamTransition]]:
    events: dict[str, list[ExamTransition]] = {}
    for change in stream:
        if change.announces:
            events.setdefault(change.after.exam_id, []).append(change.after.transitions[-1])
    return events


def _check_chain(exam_id: str, events: Sequence[ExamTransition]) -> None:
    assert all(one.sequence < other.sequence for one, other in pairwise(events)), f"{exam_id}: out of order {events}"
    for receipts in (False, True):
        chain = [event for event in events if (event.receipt is not None) is receipts]
        before = [None, *(event.event_id for event in chain)]
        assert [event.previous_id for event in chain] == before[:-1], f"{exam_id}: wrong chain in {events}"


def _check_that_it_happened(exam_id: str, changes: Sequence[ExamTransition], states: Sequence[bool]) -> None:
    place = 0
    for event in changes:
        if event.previously_available is not None:
            # It was found otherwise before.
            assert event.previously_available is not event.available, f"{exam_id}: {event}"
            place = _next(states, place, available=event.previously_available)
        place = _next(states, place, available=bool(event.available))
        assert place < len(states), f"{exam_id}: {event} fits none of {states}, announced as {changes}"
    assert all(one.available is not other.available for one, other in pairwise(changes)), f"{exam_id}: {changes}"


def _next(states: Sequence[bool], place: int, *, available: bool) -> int:
    return next((at for at in range(place, len(states)) if states[at] is available), len(states))
