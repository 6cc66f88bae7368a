"""Claims about every event, after any acts of the world and any interruptions of the pollers.

Nothing is missed: once the world is quiet, the stored state of each attempt is its true state, and so is its last
event; a removed row was announced as removed. An attempt has no event only if it is old: a silent first contact found
it, it reached its state before the watch began, and its row was listed before the exam was known.

Nothing is invented: the events of an attempt are a subsequence of its true history. Each event has the facts of a real
state, and each state is used once. Events are numbered without gaps, and each names the id of the one before. A state
that lasted only between two polls is unseen and needs no event.

A change with a sign is found soon, and not only by a full scan: new attempts if ``times`` counts starts, and the end of
an attempt that a poll saw running (except for attempts of a poll that never recorded its exam).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.detection.intervals import ACTIVE_ROTATION_S
from examhook.detection.old_results import SURELY_OLD_S
from examhook.detection.transition import Change
from examhook.events.catalogue import EventType, type_of_status
from examhook.model import AttemptKey, Status, Transition
from examhook.settings import Dialect, InitialSync
from examhook_simulator.facts import AttemptCount, TruthRow
from tests.model.history import Facts, History, Key, State
from tests.model.poller import Installation
from tests.model.provider import UNDOCUMENTED_STATUS

BEGINNING_AT = 1_790_000_000
CLOCKS_S = 120
"""What happened so close to the beginning of the watch may count as old or as new."""


@dataclass(frozen=True)
class Claims:
    """The claims about one installation at the end of a run."""

    installation: Installation
    histories: Mapping[Key, History]
    known_from: Mapping[str, int]
    """How much had happened in the world when each exam was known and nobody was about to read it as unknown."""
    hints: bool = True
    """Whether counts and pages show what happens as soon as it does."""
    date_is_stuck: bool = False
    """Whether the ``Date`` has shown the beginning of the world all along: a clock that may be so far behind."""

    def check(self) -> None:
        """Raise AssertionError if a claim does not hold."""
        events = _events(self.installation.submissions.stream)
        for key, told in events.items():
            _check_chain(key, told)
            self._check_that_it_happened(key, told)
        ids = [event.event_id for told in events.values() for event in told]
        assert len(ids) == len(set(ids)), "an id was used twice"
        shown = self.installation.provider.shown()
        for key, history in self.histories.items():
            if history.removed_n is None:
                if key not in shown:
                    assert key not in events, f"{key} is hidden and was announced"
                    continue
                self._check_that_it_is_told(key, history, events.get(key, []))
            else:
                self._check_that_it_is_removed(key, events.get(key, []))

    def check_what_was_hinted(self) -> None:
        """Raise AssertionError if the next polls should have found something that is still unknown."""
        stored = self.installation.submissions.items
        provider, world = self.installation.provider, self.installation.provider.world
        for row in world.truth():
            watch = self.installation.exam_states.items.get(("main", row.exam_id))
            submission = stored.get(("main", row.exam_id, AttemptKey(row.started_at, row.candidate_id)))
            if provider.dialect is Dialect.V1:
                # The client counts rows there, so a removed row hides a new one. If the order of the rows changes at
                # each request, they seem to belong to unknown exams.
                counts_starts = not provider.was_shuffled and not any(
                    each.removed_n for each in self.histories.values()
                )
            else:
                counts_starts = world.exam(row.exam_id).counts is AttemptCount.STARTS
            lag_s = world.rows_lag_s
            if lag_s and world.now() - row.started_at < lag_s + ACTIVE_ROTATION_S + CLOCKS_S:
                continue  # its count changed before it was listed, so that only the rotation finds it
            if (
                self.hints
                and counts_starts
                and row.exam_id not in world.unhinted
                and not self._was_counted_before_it_was_listed(row)
            ):
                assert submission is not None, f"at {world.now()} {row} is not known yet: {watch}"
            if watch is not None and watch.failed_since is not None:
                continue  # an exam that keeps failing is read less often
            if submission is not None and row.status != Status.IN_TEST and not self.installation.is_orphan(submission):
                assert submission.attempt.status_code != Status.IN_TEST, (
                    f"at {world.now()} {row} is still thought to run: {watch}"
                )

    def _was_counted_before_it_was_listed(self, row: TruthRow) -> bool:
        """Whether a first contact may have counted the row, or a row that it is confused with, without finding it.

        A row that appears later then seems to explain the change of the count. A full scan finds the other row.
        """
        return any(self._met_first_contact_hidden(key) for key in self.histories if key[0] == row.exam_id)

    def _met_first_contact_hidden(self, key: Key) -> bool:
        exam_id, attempt = key
        provider, told_n = self.installation.provider, self.histories[key].states[0].n
        if not provider.world.rows_lag_s or told_n > self.known_from.get(exam_id, told_n):
            return False
        _, asked_at = provider.first_asked.get(exam_id, (0, 0))
        return not provider.world.is_shown(attempt.started_at, asked_at)

    def _check_that_it_happened(self, key: Key, told: list[Transition]) -> None:
        states = self.histories[key].states
        place = self._old_state(key) + 1
        for event in told:
            if event.event_type == EventType.REMOVED:
                assert self.histories[key].removed_n is not None, f"{key} exists, and its removal was announced: {told}"
                assert event is told[-1], f"{key}: announced after its removal: {told}"
                assert Facts.of(event) in [state.facts for state in states[max(0, place - 1) :]], f"{key}: {event}"
                return
            matching = [at for at in range(place, len(states)) if states[at].facts == Facts.of(event)]
            assert matching, f"{key}: {event} fits none of {states}, announced as {told}"
            place = next((at for at in matching if _fits(event, states[: at + 1])), len(states))
            assert place < len(states), f"{key}: {event} is the wrong type for {states}"
            place += 1

    def _old_state(self, key: Key) -> int:
        """Index of the state that a first scan found and must not announce; -1 if there is none."""
        exam_id, _ = key
        states = self.histories[key].states
        n, asked_at = self.installation.provider.first_asked.get(exam_id, (0, 0))
        provider = self.installation.provider
        if exam_id in provider.shown_stale or not provider.world.is_shown(key[1].started_at, asked_at):
            return -1
        found = self.histories[key].state_at(n)
        return states.index(found) if found is not None and self._is_old(key, found, margin_s=-CLOCKS_S) else -1

    def _is_old(self, key: Key, state: State, *, margin_s: int) -> bool:
        """Whether ``state``, found by a first scan, is recorded without an event; ``margin_s`` extends the limit."""
        record, _ = self.installation.exams.records.get("main", (None, 0))
        if self.installation.initial_sync is InitialSync.ANNOUNCE or record is None:
            return False
        assert record.watch_started_at is not None
        exam = self.installation.exam_states.items.get(("main", key[0]))
        watch_started_at = record.watch_started_at - self.installation.clock_skew_s
        if self.date_is_stuck:
            margin_s *= max(1, 1 + (watch_started_at - BEGINNING_AT) // CLOCKS_S)
        if exam is None or not exam.predates_watch:
            watch_started_at -= SURELY_OLD_S
        ended_at = state.facts.ended_at
        return (key[1].started_at if ended_at is None else ended_at) < watch_started_at + margin_s

    def _check_that_it_is_told(self, key: Key, history: History, told: list[Transition]) -> None:
        exam_id, attempt_key = key
        truth = history.last.facts
        stored = self.installation.submissions.items.get(("main", exam_id, attempt_key))
        assert stored is not None, f"{key} was never stored: {history}"
        assert Facts.of(stored.attempt) == truth, f"{key} is stored as {stored.attempt}, and is {truth}"
        if told:
            last = Facts.of(told[-1])
            # Of a status that nobody has documented, only the status is told: whether a score is final then, who knows.
            assert last == truth or (last.status_code == truth.status_code == UNDOCUMENTED_STATUS), (
                f"{key}: told last {told[-1]}, and it is {truth}"
            )
            return
        # Of a status that nobody has documented, only that it came is told, and a silent one may have come before.
        same = [
            state for state in history.states if state.facts.status_code == truth.status_code == UNDOCUMENTED_STATUS
        ]
        assert any(self._is_old(key, state, margin_s=CLOCKS_S) for state in [history.last, *same]), (
            f"{key} was never told: {history}"
        )
        listed_n = history.states[0].n
        assert listed_n <= self.known_from.get(exam_id, listed_n), f"{key} came to a known exam and was never told"

    def _check_that_it_is_removed(self, key: Key, told: list[Transition]) -> None:
        stored = self.installation.submissions.items.get(("main", *key))
        is_v1 = self.installation.provider.dialect is Dialect.V1
        if is_v1 and ("main", key[0]) not in self.installation.exam_states.items:
            return  # without a row there is no exam either, and the poll that saw it died before it remembered one
        if stored is None:
            assert not told
            return  # it was gone before anybody saw it
        assert stored.removed, f"{key} is gone and stored as {stored}"
        assert told, f"{key} is gone and nothing was told"
        assert told[-1].event_type == EventType.REMOVED, f"{key} is gone, and last told was {told[-1]}"


def _events(stream: list[Change]) -> dict[Key, list[Transition]]:
    """The events that each write to the stream announces, by attempt."""
    events: dict[Key, list[Transition]] = {}
    for change in stream:
        before = change.before.sequence if change.before else 0
        new = [transition for transition in change.after.transitions if transition.sequence > before]
        assert [each.sequence for each in new] == list(range(before + 1, change.after.sequence + 1)), change
        events.setdefault((change.after.exam_id, change.after.key), []).extend(new)
    return events


def _check_chain(key: Key, told: list[Transition]) -> None:
    assert [event.sequence for event in told] == list(range(1, len(told) + 1)), f"{key}: gaps in {told}"
    before = [None, *(event.event_id for event in told)]
    assert [event.previous_id for event in told] == before[:-1], f"{key}: wrong chain in {told}"


def _fits(event: Transition, states: list[State]) -> bool:
    """Whether the event's type describes the change to the last of ``states``."""
    facts, earlier = states[-1].facts, [state.facts for state in states[:-1]]
    if event.previous_status_code is not None and event.previous_status_code not in {f.status_code for f in earlier}:
        return False
    match event.event_type:
        case EventType.STARTED:
            return facts.status_code == Status.IN_TEST and event.sequence == 1
        case EventType.REOPENED:
            return facts.status_code == Status.IN_TEST and any(each.status_code for each in earlier)
        case EventType.RESCORED:
            return any(each.status_code == facts.status_code and each != facts for each in earlier)
        case _:
            return event.event_type == type_of_status(facts.status_code)
