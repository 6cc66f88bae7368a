"""The ledger: all changes in the world in the order of entry."""

from __future__ import annotations

from examhook.model import Status
from examhook_simulator.attempt_rows import Row
from examhook_simulator.facts import LedgerEntry, LedgerKind

KIND_OF_END = {
    Status.SUBMITTED: LedgerKind.SUBMITTED,
    Status.TIMED_OUT: LedgerKind.TIMED_OUT,
    Status.FORCED: LedgerKind.FORCED,
    Status.SYSTEM_SUBMITTED: LedgerKind.SYSTEM_SUBMITTED,
}
"""Entry kind for each final status."""


class Ledger:
    """Append-only entries. The caller holds the world's lock."""

    def __init__(self) -> None:
        self._entries: list[LedgerEntry] = []

    def note(self, kind: LedgerKind, exam_id: int, at: int, row: Row | None = None) -> None:
        """Add an entry with the current state of its attempt, if any."""
        attempt = (
            (str(row.candidate_id), row.started_at, int(row.status), row.score, row.ended_at or None) if row else ()
        )
        self._entries.append(LedgerEntry(len(self._entries) + 1, at, kind, str(exam_id), *attempt))
        if row is not None:
            row.remember(at, removed=kind is LedgerKind.REMOVED)

    def after(self, n: int) -> tuple[LedgerEntry, ...]:
        """Return the entries after number ``n``."""
        return tuple(self._entries[n:])
