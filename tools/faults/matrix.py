"""The fault matrix: its rows, their results, and the run of one row after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.faults.scenarios import Act, nothing
from tools.faults.stack import FaultStack
from tools.progress import Say

_ATTEMPTS = 6
_FAULT_S = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    group: str
    fault: str
    begin: Act
    """Switches the fault on."""
    meanwhile: Act = nothing
    """Runs after the poll that should announce everything."""
    hits: Callable[[FaultStack], int] | None = None
    """Counts how often the fault occurred; None for an act that always happens."""
    enough: int = 1
    """How often the fault must occur before the row continues."""
    prepare: Act = nothing
    """Runs before the row's exam is created."""
    crowd: int = 0
    """Further attempts that were submitted and read before the fault begins."""
    cut_off: frozenset[int] = frozenset()
    """Receivers that get nothing during the fault; the row does not wait for them."""


@dataclass(frozen=True, slots=True)
class Result:
    """Counts of one row over all receivers."""

    group: str
    fault: str
    made: int | None
    """How often the fault occurred; None for an act that always happens."""
    lost: int
    """Announcements that a receiver never got."""
    invented: int
    """Events without a cause, or with other facts than before under the same id."""
    repeated: int
    """Arrivals of a known id with the same facts."""
    took_s: float

    @property
    def passed(self) -> bool:
        """Whether the fault occurred and did no harm."""
        return not self.lost and not self.invented and self.made != 0

    def append_to(self, path: Path) -> None:
        """Add this result to a file of JSON lines."""
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self)) + "\n")


def read_results(path: Path) -> list[Result]:
    """Read a file of JSON lines; an absent file is empty."""
    return [Result(**line) for line in map(json.loads, path.read_text().splitlines())] if path.exists() else []


def run(stack: FaultStack, rows: Sequence[Row], say: Say) -> Iterator[Result]:
    """Run rows one after the other and yield their results."""
    for nth, row in enumerate(rows, start=1):
        result, problems = _run_row(stack, row)
        made = "" if result.made is None else f"{result.made} faults, "
        say(
            f"{nth}/{len(rows)} {row.group}: {row.fault}: {made}lost {result.lost}, invented {result.invented},"
            f" repeated {result.repeated}, {result.took_s:.0f} s"
        )
        for problem in problems:
            say(f"    {problem}")
        yield result


def _run_row(stack: FaultStack, row: Row) -> tuple[Result, Sequence[str]]:
    world = stack.world
    row.prepare(stack)
    exam_id = world.create_exam()
    crowd = [world.start(exam_id) for _ in range(row.crowd)]
    refs = [world.start(exam_id) for _ in range(_ATTEMPTS)]
    for ref in crowd:
        world.submit(ref)
    world.advance(5)
    stack.tick()
    world.advance(60)
    hits_before = row.hits(stack) if row.hits else 0
    began_s = time.monotonic()
    row.begin(stack)
    submitted, timed_out, forced, by_system, rescored, _running = refs
    world.submit(submitted)
    world.time_out(timed_out)
    world.force(forced)
    world.system_submit(by_system)
    world.submit(rescored, 10)
    world.advance(5)
    stack.tick()
    row.meanwhile(stack)
    _poll_during_fault(stack, row, exam_id, hits_before)
    world.mark(rescored, 20)
    world.advance(5)
    stack.full_poll()
    made = row.hits(stack) - hits_before if row.hits else None
    audits = stack.recover(exam_id)
    stack.drop_exam(exam_id)
    lost = [problem for audit in audits for problem in audit.lost]
    invented = [problem for audit in audits for problem in audit.invented]
    repeated = sum(audit.repeated for audit in audits)
    took_s = round(time.monotonic() - began_s, 1)
    return Result(row.group, row.fault, made, len(lost), len(invented), repeated, took_s), [*lost, *invented]


def _poll_during_fault(stack: FaultStack, row: Row, exam_id: str, hits_before: int) -> None:
    """Poll until the fault occurred often enough and reachable receivers have everything, or the time is over."""
    give_up_at_s = time.monotonic() + _FAULT_S
    while time.monotonic() < give_up_at_s:
        is_enough = row.hits is None or row.hits(stack) - hits_before >= row.enough
        reachable = [audit for nth, audit in enumerate(stack.audits(exam_id)) if nth not in row.cut_off]
        if is_enough and all(audit.passed for audit in reachable):
            return
        time.sleep(0.5)
        stack.tick()
