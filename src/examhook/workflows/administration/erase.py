"""Erase one candidate: everything that the tables hold, so that nothing of it goes out and nothing comes back.

The order makes a crash at any step harmless, and doing it again finish it::

    hold the account's lease          (no poll runs that does not know yet)
      remember the candidate's keyed hash, take the candidate's running attempts out of the watches
    give it back                      (polls pass over what the provider still shows)
    outlast who did not give it back  (a poll that was paused beyond its lease may still write what it saw before)
      find submissions ─▶ their events' ids;  find events ─▶ theirs
        leave only the ids of the events      (nothing is made or sent of them any more)
          delete their deliveries             (an attempt that is not claimed yet is never made)
            delete the submissions            (last, because the ids derive from them)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from examhook.destinations.secrets import SecretsKey
from examhook.detection.erased import Erased, hash_of, without_erased
from examhook.storage.erasure import (
    CandidateDeliveries,
    CandidateDelivery,
    CandidateEvents,
    CandidateSubmission,
    CandidateSubmissions,
)
from examhook.storage.exams import ErasuresTable, ExamsTable
from examhook.storage.submissions import ExamStates
from examhook.workflows.administration.erasure_key import erasure_key, new_erasure_key
from examhook.workflows.polling.known_exams import KnownExams
from examhook.workflows.polling.lease import LEASE_S, lease_on

LEASE_PATIENCE_S = 330.0
"""A poll may run for five minutes."""
LONGEST_POLL_S = 300
"""Lambda ends a poll after this, paused or not (template.yaml)."""
LATE_S = 30
"""Longer than a write that was on its way then takes, and than clocks are apart."""

T = TypeVar("T")


class PollRunsError(Exception):
    """Another poll of the account runs and does not end; trying again helps."""


class UnknownAccountError(ValueError):
    """Nothing is known of an account of this name; trying again does not help."""


Progress = Callable[[float], None]
"""Told which share of the tables was looked through, 0 to 1; how large they are is known only roughly."""

_TABLES = 3


@dataclass(slots=True)
class Erasure:
    """What was erased, or would be, by table."""

    submissions: int = 0
    events: int = 0
    deliveries: int = 0
    waiting: int = 0
    """Those of the deliveries that were still to be sent."""
    attempts: int = 0
    """Entries of the deliveries' logs."""
    watches: int = 0
    """Exams whose watch named the candidate."""


@dataclass(slots=True)
class _Found:
    submissions: list[CandidateSubmission] = field(default_factory=list)
    event_ids: set[str] = field(default_factory=set)
    deliveries: list[CandidateDelivery] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EraseCandidate:
    """The use case behind ``examhook erase``; raises botocore's errors, and doing it again goes on."""

    submissions: CandidateSubmissions
    events: CandidateEvents
    deliveries: CandidateDeliveries
    exams: ExamsTable
    exam_states: ExamStates
    erasures: ErasuresTable
    key: SecretsKey
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def run(self, account: str, candidate_id: str, progress: Progress, *, dry_run: bool = False) -> Erasure:
        """Erase the candidate, or only count; raises PollRunsError, UnknownAccountError."""
        state = self.exams.read(account)
        exams = self.exam_states.of_account(account)
        if state.record.watch_started_at is None and not exams and not state.erasures.erased_at:
            raise UnknownAccountError(f"Nothing is known of an account called {account}.")
        now = int(self.now())
        done = Erasure()
        if dry_run:
            sealed = state.erasures.sealed_key
            key = b"" if sealed is None else erasure_key(self.key, account, sealed)
        else:
            sealed = self.erasures.key_of(account, lambda: new_erasure_key(self.key, account))
            key = erasure_key(self.key, account, sealed)
        candidate_hash = hash_of(candidate_id, key)
        erased = Erased({candidate_hash: now}, key)
        if dry_run:
            done.watches = sum(without_erased(exam, erased) is not None for exam in exams.values())
        else:
            done.watches = self._mark(account, candidate_hash, erased)
            self._outlast(account)
        found = self._find(account, candidate_id, candidate_hash, done, progress)
        if not dry_run:
            for event_id in sorted(found.event_ids):
                self.events.erase(event_id, candidate_hash, now)
        self._find_deliveries(found, progress)
        if not dry_run:
            for delivery in found.deliveries:
                self.deliveries.delete(delivery)
            for submission in found.submissions:
                self.submissions.delete(submission)
        done.submissions = len(found.submissions)
        done.deliveries = len(found.deliveries)
        done.waiting = sum(delivery.is_waiting for delivery in found.deliveries)
        done.attempts = sum(delivery.attempts for delivery in found.deliveries)
        return done

    def _mark(self, account: str, candidate_hash: str, erased: Erased) -> int:
        """Let polls know; returns how many exams' states named the candidate."""
        with lease_on(self.exams, account, now=self.now, sleep=self.sleep, patience_s=LEASE_PATIENCE_S) as lease:
            if lease is None:
                raise PollRunsError(f"A poll of account {account} is running. Wait a minute, then try again.")
            self.erasures.mark(account, candidate_hash, erased.erased_at[candidate_hash])
            known = KnownExams(account, self.exam_states, lease, endpoints=list)
            known.read()
            known.adopt(self.exams, dict(self.exams.read(account).legacy_exams))
            found = [without_erased(state, erased) for state in known.states.values()]
            after = [state for state in found if state is not None]
            known.save(*after)
        return len(after)

    def _outlast(self, account: str) -> None:
        """Wait until no poll is left that outlived its lease: it knows of no mark, and no fence keeps new rows out."""
        overrun_at = self.exams.overrun_at(account)
        if overrun_at is not None:
            # It held its lease when it prolonged it last, so it had begun by then.
            left_s = overrun_at - LEASE_S + LONGEST_POLL_S + LATE_S - self.now()
            if left_s > 0:
                self.sleep(left_s)

    def _find(self, account: str, candidate_id: str, candidate_hash: str, done: Erasure, progress: Progress) -> _Found:
        found = _Found()
        pages = self.submissions.find(account, candidate_id)
        for submissions in _counted(pages, 0, self.submissions.size(), progress):
            found.submissions += submissions
            for submission in submissions:
                found.event_ids |= submission.event_ids
        event_pages = self.events.find(account, candidate_id, candidate_hash)
        for events in _counted(event_pages, 1, self.events.size(), progress):
            found.event_ids |= events.keys()
            done.events += sum(events.values())
        return found

    def _find_deliveries(self, found: _Found, progress: Progress) -> None:
        if not found.event_ids:
            return
        for deliveries in _counted(self.deliveries.find(found.event_ids), 2, self.deliveries.size(), progress):
            found.deliveries += deliveries


def _counted(pages: Iterator[tuple[T, int]], table: int, size: int, progress: Progress) -> Iterator[T]:
    looked_at = 0
    for page, count in pages:
        looked_at += count
        progress((table + looked_at / max(size, looked_at, 1)) / _TABLES)
        yield page
