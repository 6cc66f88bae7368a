"""Other ways to do the work, in the same run, on the same world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import PROJECT, Child
from bench.cloud import Cloud
from bench.provider import Provider
from examhook_cli.simulator.wire import Fields

DLT_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"


def where(provider: Provider) -> Mapping[str, str]:
    """What points a peer at the provider."""
    return {"URL": provider.url, "CODE": provider.code}


def floor(provider: Provider) -> Child:
    """``requests`` and ``json``."""
    return Child(["bench.floor_process"], where(provider))


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
        with Child(["bench.naive_process"], {**self.cloud.environ, **where(self.provider)}) as child:
            return child.ask(exam_ids=list(self.exam_ids), begin=begin)


@dataclass(frozen=True, slots=True)
class Dlt:
    """What dlt did."""

    requests: int
    false_events: int
    """Versions that a second load made of rows in which nothing but the link differed."""
    false_removals: int
    """Rows that a load took for gone while they had moved; it had read those that were truly deleted before."""
    cpu_s: float
    """Of a load without links in which nothing changed."""
    peak_bytes: int


def dlt(provider: Provider, moving: Sequence[str], python: Path) -> Dlt:
    """Run dlt."""
    environ = {**where(provider), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    with Child(["bench.dlt_process"], environ, python=str(python)) as as_it_comes:
        as_it_comes.ask(links=True)
        with_links = as_it_comes.ask(links=True)
    with Child(["bench.dlt_process"], environ, python=str(python)) as without_links:
        without_links.ask(links=False)
        unchanged = without_links.ask(links=False)
        provider.move_rows_in(moving)
        moved = without_links.ask(links=False)
    return Dlt(
        requests=unchanged.whole("requests"),
        false_events=with_links.whole("versions"),
        false_removals=moved.whole("ended"),
        cpu_s=unchanged.number("cpu_s"),
        peak_bytes=unchanged.whole("peak_bytes"),
    )
