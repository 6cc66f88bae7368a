"""The rows of one full scan: held until they are settled, counted once, written while further pages are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from examhook.detection.diff import absences, further_along
from examhook.detection.scan import Scan
from examhook.model import Attempt, AttemptKey, Submission
from examhook.workflows.polling.exam_source import ExamSource
from examhook.workflows.polling.settlement import Settled, start_settling


@dataclass(slots=True)
class ScanRows:
    """The rows of one full scan."""

    source: ExamSource
    had_stored: bool
    """Whether anything was stored of the exam before."""
    scan: Scan = field(default_factory=Scan)
    settled: Settled = field(default_factory=Settled)
    held: dict[AttemptKey, Attempt] = field(default_factory=dict)
    """Rows that are not settled yet."""
    counted: set[AttemptKey] = field(default_factory=set)
    """Keys of the rows that were settled."""
    _settling: Callable[[], Settled] | None = None
    """Waits for the rows that are being written."""

    def hold(self, rows: Sequence[Attempt], *, in_order: bool) -> None:
        """Take the rows of a page; ``in_order``: they follow those before, so that they show the order."""
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
            self.scan.note_order(new)

    def flush(self, stored: Mapping[AttemptKey, Submission] | None = None) -> None:
        """Settle the rows in hand against what is ``stored``, None: look it up. Raises as ``settle`` does."""
        # The overlap with what was settled before, and rows that later passes showed again, are counted already.
        rows = {key: row for key, row in self.held.items() if key not in self.counted}
        self.held = {}
        if not rows:
            return
        self.counted |= rows.keys()
        self.wait()
        if stored is None:
            stored = self.source.stored_around(rows.values()) if self.had_stored else {}
        is_later = self.source.request.state.scanned_at is not None
        self._settling = start_settling(self.source, rows, stored, recheck=is_later)

    def wait(self) -> None:
        """Wait until what was settled is written, and count it; raises ClientError."""
        if self._settling is None:
            return
        settling, self._settling = self._settling, None
        settled = settling()
        self.scan.count(settled.attempts)
        self.settled.add(settled)

    def count_stored(self) -> None:
        """Replace the count by what is stored of the exam, as a scan that showed it all; raises ClientError."""
        self.scan = self.scan.uncounted()
        for attempts in self.source.stored_pages():
            self.scan.count(attempts)

    def settle_absences(self) -> bool:
        """Note or announce what is stored and was not seen; whether nothing is left to be settled by a later scan.

        Raises ClientError, LeaseLostError.
        """
        seen = self.counted | {self.source.same_record.get(key, key) for key in self.counted}
        changes = absences(seen, self.source.stored_beyond(seen), self.source.observation())
        overtaken = self.source.write(changes)
        self.settled.overtaken += len(overtaken)
        self.settled.written += [change for change in changes if change.after.key not in overtaken]
        return all(change.after.removed for change in changes) and not overtaken
