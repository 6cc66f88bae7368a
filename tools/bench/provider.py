"""Control of the simulated provider, which runs in a separate process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from examhook_simulator.client import SimulatorControl
from examhook_simulator.facts import AttemptRef
from tools.bench.json_process import JsonProcess
from tools.bench.units import Event

SCORE_POINTS = 50.0
PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider."""

    process: JsonProcess
    control: SimulatorControl
    url: str
    code: str
    exam_ids: tuple[str, ...]
    """Oldest first."""

    @property
    def environ(self) -> dict[str, str]:
        """Variables with which another program finds the provider."""
        return {"URL": self.url, "CODE": self.code}

    def start_in(self, exam_ids: Sequence[str]) -> list[AttemptRef]:
        """Start one attempt per exam id; an id that occurs twice gets two attempts."""
        return [self.control.start(exam_id) for exam_id in exam_ids]

    def submit_all(self, refs: Sequence[AttemptRef]) -> None:
        """Submit these attempts."""
        for ref in refs:
            self.control.submit(ref, SCORE_POINTS)

    def result_pages(self) -> int:
        """Return how many pages of results were requested since the start."""
        return self.process.ask().whole("result_pages")

    def move_rows_in(self, exam_ids: Sequence[str]) -> None:
        """Delete and add a row of each exam in the middle of the next scan."""
        self.process.ask(move=list(exam_ids))


@contextmanager
def running_provider(exams: int, rows: int, larger: int = 0, rows_of_larger: int = 0) -> Iterator[Provider]:
    """Run a provider without a rate limit until the ``with`` block ends.

    Args:
        exams: number of exams.
        rows: attempts per exam.
        larger: number of exams, from the first, that have ``rows_of_larger`` attempts instead.
        rows_of_larger: see ``larger``.
    """
    size = {"exams": exams, "rows": rows, "larger": larger, "rows-of-larger": rows_of_larger}
    options = [part for name, value in size.items() for part in (f"--{name}", str(value))]
    with JsonProcess(["tools.bench.provider_process", *options], {}) as process:
        started_process = process.receive()
        url = started_process.text("url")
        control = SimulatorControl(url)
        try:
            yield Provider(process, control, url, started_process.text("code"), started_process.texts("exam_ids"))
        finally:
            control.close()


def pages_of(rows: int) -> int:
    """Return the requests that read ``rows`` rows in pages that overlap by one row, and prove the end of the list."""
    further = -(-max(0, rows - PAGE_ROWS) // (PAGE_ROWS - 1))
    # After a full last page, one more page shows the last row alone.
    is_full = rows > 0 and (rows - PAGE_ROWS) % (PAGE_ROWS - 1) == 0
    return 1 + further + is_full + 1


def started(refs: Sequence[AttemptRef]) -> set[Event]:
    """Return the events that announce the start of these attempts."""
    return {Event("submission.started", ref.exam_id, ref.candidate_id, ref.started_at) for ref in refs}


def submitted(refs: Sequence[AttemptRef]) -> set[Event]:
    """Return the events that announce the submission of these attempts."""
    return {Event("submission.submitted", ref.exam_id, ref.candidate_id, ref.started_at) for ref in refs}
