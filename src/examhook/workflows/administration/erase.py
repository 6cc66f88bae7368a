"""Erase one candidate from all tables, so that no stored or future data of the candidate is sent.

The order makes a crash at any step harmless; run it again to finish::

    hold the account's lease               (polls that do not know of the erasure cannot run)
      store the candidate's keyed hash, and remove the candidate's running attempts from the exam states
    release the lease                      (from now on, polls skip the candidate's rows)
    wait for polls that outlived their lease  (such a poll may still write rows it read before)
      find submissions ─▶ ids of their events;  find events ─▶ their ids
        reduce the events to their ids         (they can neither be created nor sent again)
          delete their deliveries              (unclaimed attempts are never made)
            delete the submissions             (last, because the event ids derive from them)
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
from examhook.storage.exams import AccountState, ErasuresTable, ExamsTable
from examhook.storage.submissions import ExamStates
from examhook.workflows.administration.erasure_key import erasure_key, new_erasure_key
from examhook.workflows.polling.known_exams import KnownExams
from examhook.workflows.polling.lease import LEASE_S, lease_on

LONGEST_POLL_S = 300
"""Maximum duration of a poll, enforced by Lambda (template.yaml)."""

_LEASE_WAIT_S = 330.0
"""Maximum wait for the lease; longer than a poll."""
_LATE_WRITE_S = 30
"""Upper bound of the duration of a write plus the difference between clocks."""
_TABLES = 3

T = TypeVar("T")

ProgressCallback = Callable[[float], None]
"""Receives the approximate share of the tables that was searched, from 0 to 1."""


class PollRunsError(Exception):
    """A poll of the account is running and does not end; a retry helps."""


class NoAccountDataError(ValueError):
    """Nothing is stored about an account of this name; a retry does not help."""


@dataclass(slots=True)
class Erasure:
    """Number of erased items by table, or in a dry run of items that would be erased."""

    submissions: int = 0
    events: int = 0
    deliveries: int = 0
    waiting: int = 0
    """Deliveries that were not sent yet."""
    attempts: int = 0
    """Attempts in the logs of the deliveries."""
    watches: int = 0
    """Exam states that named a running attempt of the candidate."""


@dataclass(slots=True)
class _Found:
    """Stored data of the candidate."""

    submissions: list[CandidateSubmission] = field(default_factory=list)
    event_ids: set[str] = field(default_factory=set)
    event_count: int = 0
    """Number of items in the Events table that contain data of the candidate."""
    deliveries: list[CandidateDelivery] = field(default_factory=list)

    def counted(self, watches: int) -> Erasure:
        return Erasure(
            submissions=len(self.submissions),
            events=self.event_count,
            deliveries=len(self.deliveries),
            waiting=sum(delivery.is_waiting for delivery in self.deliveries),
            attempts=sum(delivery.attempts for delivery in self.deliveries),
            watches=watches,
        )


@dataclass(frozen=True, slots=True)
class EraseCandidate:
    """The use case of ``examhook erase``. Raises botocore's errors; a repeated run continues."""

    submissions: CandidateSubmissions
    events: CandidateEvents
    deliveries: CandidateDeliveries
    exams: ExamsTable
    exam_states: ExamStates
    erasures: ErasuresTable
    key: SecretsKey
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def run(self, account: str, candidate_id: str, progress: ProgressCallback, *, dry_run: bool = False) -> Erasure:
        """Erase the candidate, or only count; raises PollRunsError, NoAccountDataError."""
        state = self.exams.read(account)
        exams = self.exam_states.of_account(account)
        if state.record.watch_started_at is None and not exams and not state.erasures.erased_at:
            raise NoAccountDataError(f"Nothing is stored about an account called {account}.")
        now = int(self.now())
        key = self._hash_key(account, state, dry_run=dry_run)
        candidate_hash = hash_of(candidate_id, key)
        erased = Erased({candidate_hash: now}, key)
        if dry_run:
            watches = sum(without_erased(exam, erased) is not None for exam in exams.values())
            found = self._find(account, candidate_id, candidate_hash, progress)
            self._find_deliveries(found, progress)
            return found.counted(watches)
        watches = self._mark(account, candidate_hash, erased)
        self._wait_for_overrunning_poll(account)
        found = self._find(account, candidate_id, candidate_hash, progress)
        for event_id in sorted(found.event_ids):
            self.events.erase(event_id, candidate_hash, now)
        self._find_deliveries(found, progress)
        for delivery in found.deliveries:
            self.deliveries.delete(delivery)
        for submission in found.submissions:
            self.submissions.delete(submission)
        return found.counted(watches)

    def _hash_key(self, account: str, state: AccountState, *, dry_run: bool) -> bytes:
        """Return the key of the account's candidate hashes; a dry run does not create one."""
        if dry_run:
            sealed = state.erasures.sealed_key
            return b"" if sealed is None else erasure_key(self.key, account, sealed)
        sealed = self.erasures.key_of(account, lambda: new_erasure_key(self.key, account))
        return erasure_key(self.key, account, sealed)

    def _mark(self, account: str, candidate_hash: str, erased: Erased) -> int:
        """Make polls skip the candidate; return the number of exam states that named the candidate."""
        with lease_on(self.exams, account, now=self.now, sleep=self.sleep, patience_s=_LEASE_WAIT_S) as lease:
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

    def _wait_for_overrunning_poll(self, account: str) -> None:
        """Wait until a poll that outlived its lease has ended, because it may still write the candidate's rows."""
        overrun_at = self.exams.overrun_at(account)
        if overrun_at is not None:
            # The poll held its lease when it last renewed it, so it had begun by then.
            left_s = overrun_at - LEASE_S + LONGEST_POLL_S + _LATE_WRITE_S - self.now()
            if left_s > 0:
                self.sleep(left_s)

    def _find(self, account: str, candidate_id: str, candidate_hash: str, progress: ProgressCallback) -> _Found:
        """Find the candidate's submissions and events."""
        found = _Found()
        pages = self.submissions.find(account, candidate_id)
        for submissions in _with_progress(pages, 0, self.submissions.size(), progress):
            found.submissions += submissions
            for submission in submissions:
                found.event_ids |= submission.event_ids
        event_pages = self.events.find(account, candidate_id, candidate_hash)
        for events in _with_progress(event_pages, 1, self.events.size(), progress):
            found.event_ids |= events.keys()
            found.event_count += sum(events.values())
        return found

    def _find_deliveries(self, found: _Found, progress: ProgressCallback) -> None:
        """Add the deliveries of the events."""
        if not found.event_ids:
            return
        pages = self.deliveries.find(found.event_ids)
        for deliveries in _with_progress(pages, 2, self.deliveries.size(), progress):
            found.deliveries += deliveries


def _with_progress(pages: Iterator[tuple[T, int]], table: int, size: int, progress: ProgressCallback) -> Iterator[T]:
    """Yield the pages of the ``table``-th table, which has about ``size`` items, and report the progress."""
    searched = 0
    for page, count in pages:
        searched += count
        progress((table + searched / max(size, searched, 1)) / _TABLES)
        yield page
