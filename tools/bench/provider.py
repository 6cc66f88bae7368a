"""The provider's process, from outside: a world of exams that can be made busy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from examhook_simulator.client import SimulatorControl
from examhook_simulator.facts import AttemptRef
from tools.bench.json_process import Child
from tools.bench.units import Event

SCORE_POINTS = 50.0
PAGE = 100
"""Rows on a page."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider."""

    process: Child
    control: SimulatorControl
    url: str
    code: str
    exam_ids: tuple[str, ...]
    """Oldest first."""

    def start_in(self, exam_ids: Sequence[str]) -> list[AttemptRef]:
        """A candidate begins each of these exams; an exam named twice has two."""
        return [self.control.start(exam_id) for exam_id in exam_ids]

    def submit_all(self, refs: Sequence[AttemptRef]) -> None:
        """Submit these attempts."""
        for ref in refs:
            self.control.submit(ref, SCORE_POINTS)

    def results_asked(self) -> int:
        """Pages of results that were asked for so far."""
        return self.process.ask().whole("results_asked")

    def move_rows_in(self, exam_ids: Sequence[str]) -> None:
        """Let the rows of these exams move in the middle of the next pass over them."""
        self.process.ask(move=list(exam_ids))


@contextmanager
def running_provider(exams: int, rows: int, larger: int = 0, rows_of_larger: int = 0) -> Iterator[Provider]:
    """A provider with so many exams of so many attempts each, without a limit on requests.

    The first ``larger`` of them have ``rows_of_larger`` attempts instead.
    """
    size = {"exams": exams, "rows": rows, "larger": larger, "rows-of-larger": rows_of_larger}
    argv = [part for name, figure in size.items() for part in (f"--{name}", str(figure))]
    with Child(["tools.bench.provider_process", *argv], {}) as process:
        where = process.answer()
        control = SimulatorControl(where.text("url"))
        try:
            yield Provider(process, control, where.text("url"), where.text("code"), where.texts("exam_ids"))
        finally:
            control.close()


def pages_of(rows: int) -> int:
    """Requests to read ``rows`` rows in pages that overlap by one row, and to prove the end."""
    further = -(-max(0, rows - PAGE) // (PAGE - 1))
    # A full last page is followed by one that shows its last row only.
    is_full = rows > 0 and (rows - PAGE) % (PAGE - 1) == 0
    return 1 + further + is_full + 1


def started(refs: Sequence[AttemptRef]) -> set[Event]:
    """The events of attempts that started."""
    return {Event("submission.started", ref.exam_id, ref.candidate_id, ref.started_at) for ref in refs}


def submitted(refs: Sequence[AttemptRef]) -> set[Event]:
    """The events of attempts that were submitted."""
    return {Event("submission.submitted", ref.exam_id, ref.candidate_id, ref.started_at) for ref in refs}
