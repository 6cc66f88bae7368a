"""Other ways to do the work, measured in the same run on the same world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from examhook_simulator.json_fields import Fields
from tools.bench.cloud import Cloud
from tools.bench.json_process import JsonProcess
from tools.bench.provider import Provider
from tools.processes import PROJECT

DLT_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"


def floor(provider: Provider) -> JsonProcess:
    """Start the floor, which reads all results with ``requests`` and ``json``."""
    return JsonProcess(["tools.bench.detection.floor_process"], provider.environ)


@dataclass(slots=True)
class Naive:
    """The naive script on the busy exams."""

    cloud: Cloud
    provider: Provider
    exam_ids: Sequence[str]
    answers: list[Fields] = field(default_factory=list)

    def store(self) -> None:
        """Store the rows as they are before the changes."""
        self._run(begin=True)

    def compare(self) -> None:
        """Measure the script after the changes."""
        self.answers.append(self._run(begin=False))

    def _run(self, *, begin: bool) -> Fields:
        environ = {**self.cloud.environ, **self.provider.environ}
        with JsonProcess(["tools.bench.detection.naive_process"], environ) as script:
            return script.ask(exam_ids=list(self.exam_ids), begin=begin)


@dataclass(frozen=True, slots=True)
class DltErrors:
    """Wrong changes that dlt records."""

    rows: int
    false_events: int
    """Versions from a second load of rows in which only the link differs."""
    false_removals: int
    """Rows that a load marks as ended although they only moved. Deleted rows are read before their deletion."""


def dlt_unchanged(provider: Provider, python: Path) -> Fields:
    """Return the usage of dlt for a second load without changes and without links."""
    with _dlt(provider, python) as dlt:
        dlt.ask(links=False)
        return dlt.ask(links=False)


def dlt_errors(provider: Provider, python: Path) -> DltErrors:
    """Load everything twice with links; then once without links, and once more while rows move."""
    with _dlt(provider, python) as dlt:
        rows = dlt.ask(links=True).whole("versions")
        again = dlt.ask(links=True)
        dlt.ask(links=False)
        provider.move_rows_in(provider.exam_ids)
        moved = dlt.ask(links=False)
    return DltErrors(rows, again.whole("versions"), moved.whole("ended"))


def _dlt(provider: Provider, python: Path) -> JsonProcess:
    environ = {**provider.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return JsonProcess(["tools.bench.detection.dlt_process"], environ, python=str(python))
