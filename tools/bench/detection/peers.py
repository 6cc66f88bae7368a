"""Other ways to do the work, in the same run, on the same world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from examhook_simulator.wire import Fields
from tools.bench.json_process import PROJECT, Child
from tools.bench.cloud import Cloud
from tools.bench.provider import Provider

DLT_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"


def where(provider: Provider) -> Mapping[str, str]:
    """What points a peer at the provider."""
    return {"URL": provider.url, "CODE": provider.code}


def floor(provider: Provider) -> Child:
    """``requests`` and ``json``."""
    return Child(["tools.bench.detection.floor_process"], where(provider))


@dataclass(slots=True)
class Naive:
    """The naive script on some of the exams, those in which something happens."""

    cloud: Cloud
    provider: Provider
    exam_ids: Sequence[str]
    answers: list[Fields] = field(default_factory=list)

    def before(self) -> None:
        """Keep what is known."""
        self._run(begin=True)

    def after(self) -> None:
        """Compare, and measure that."""
        self.answers.append(self._run(begin=False))

    def _run(self, *, begin: bool) -> Fields:
        with Child(["tools.bench.detection.naive_process"], {**self.cloud.environ, **where(self.provider)}) as child:
            return child.ask(exam_ids=list(self.exam_ids), begin=begin)


@dataclass(frozen=True, slots=True)
class DltErrors:
    """What dlt got wrong."""

    rows: int
    false_events: int
    """Versions that a second load made of rows in which nothing but the link differed."""
    false_removals: int
    """Rows that a load took for gone while they had moved; those that were truly deleted it had read before."""


def dlt_unchanged(provider: Provider, python: Path) -> Fields:
    """What dlt uses to load everything again while nothing changed, without the links."""
    with _dlt(provider, python) as without_links:
        without_links.ask(links=False)
        return without_links.ask(links=False)


def dlt_errors(provider: Provider, python: Path) -> DltErrors:
    """Load everything as it comes, twice; then, without the links, once more while rows move."""
    with _dlt(provider, python) as child:
        rows = child.ask(links=True).whole("versions")
        again = child.ask(links=True)
        child.ask(links=False)
        provider.move_rows_in(provider.exam_ids)
        moved = child.ask(links=False)
    return DltErrors(rows, again.whole("versions"), moved.whole("ended"))


def _dlt(provider: Provider, python: Path) -> Child:
    environ = {**where(provider), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return Child(["tools.bench.detection.dlt_process"], environ, python=str(python))
