"""The rows of one full scan: held until they are settled, and written while further pages are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from examhook.detection.scan_result import ScanResult
from examhook.detection.transition import absences, further_along
from examhook.model import Attempt, AttemptKey, Submission
from examhook.workflows.polling.exam_source import ExamSource
from examhook.workflows.polling.settlement import Settled, start_settling


@dataclass(slots=True)
class ScanRows:
    """The rows of one full scan."""

    source: ExamSource
    had_stored: bool
    """Whether the exam had submissions before the scan."""
    result: ScanResult = field(default_factory=ScanResult)
    settled: Settled = field(default_factory=Settled)
    held: dict[AttemptKey, Attempt] = field(default_factory=dict)
    """Rows that are not settled yet."""
    counted: set[AttemptKey] = field(default_factory=set)
    """Keys of the settled rows."""
    _settling: Callable[[], Settled] | None = None
    """Waits for the current write."""

    def hold(self, rows: Sequence[Attempt], *, in_order: bool) -> None:
        """Add the rows of a page; ``in_order``: the page follows the page before."""
        new: list[Attempt] = []
        for row in self.source.without_erased(rows):
            held = self.held.get(row.key)
            if held is not None:
                self.held[row.key] = further_along(held, row)
                continue
            self.held[row.key] = row
            if row.key not in self.counted:
                new.append(row)
        if in_order:
            self.result.note_order(new)

    def flush(self, stored: Mapping[AttemptKey, Submission] | None = None) -> None:
        """Settle the held rows; raises as ``start_settling`` does.

        ``stored`` are the submissions around them; None reads them from the table.
        """
        # Pages overlap, and further passes show rows again.
        rows = {key: row for key, row in self.held.items() if key not in self.counted}
        self.held = {}
        if not rows:
            return
        self.counted |= rows.keys()
        self.wait()
        if stored is None:
            stored = self.source.stored_around(rows.values()) if self.had_stored else {}
        is_first = self.source.request.state.scanned_at is None
        self._settling = start_settling(self.source, rows, stored, recheck=not is_first)

    def wait(self) -> None:
        """Wait for the current write, and count its rows; raises ClientError."""
        if self._settling is None:
            return
        settling, self._settling = self._settling, None
        settled = settling()
        self.result.count(settled.attempts)
        self.settled.add(settled)

    def count_stored(self) -> None:
        """Count all stored attempts of the exam instead of the rows; raises ClientError."""
        self.result = self.result.without_counts()
        for attempts in self.source.stored_pages():
            self.result.count(attempts)

    def settle_absences(self) -> bool:
        """Record or announce the removal of submissions that the scan did not see.

        Returns whether all removals are announced, so that a later scan need not confirm any.
        Raises ClientError, LeaseLostError.
        """
        seen = self.counted | {self.source.stored_keys.get(key, key) for key in self.counted}
        changes = absences(seen, self.source.stored_beyond(seen), self.source.observation())
        overtaken = self.source.start_write(changes)()
        self.settled.overtaken += len(overtaken)
        self.settled.written += [change for change in changes if change.after.key not in overtaken]
        return all(change.after.removed for change in changes) and not overtaken
