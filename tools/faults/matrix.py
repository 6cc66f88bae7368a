"""Running the rows of the matrix, one after the other, on one stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tools.faults.audit import Verdict
from tools.faults.row import Row
from tools.faults.stack import Stage

_ATTEMPTS = 6
_SUFFER_S = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one row."""

    row: Row
    made: int | None
    """How often the fault was met; None where it is an act that happens for certain."""
    verdicts: Sequence[Verdict]
    """Of each receiver, over this row's exam."""
    through_s: float
    """From the first poll in the fault until all was there."""

    @property
    def lost(self) -> int:
        """Announcements that some receiver never got."""
        return sum(len(one.lost) for one in self.verdicts)

    @property
    def invented(self) -> int:
        """Events that tell of nothing that happened, or of other facts than before."""
        return sum(len(one.invented) for one in self.verdicts)

    @property
    def repeated(self) -> int:
        """Arrivals of an id that had come before, with the same facts."""
        return sum(one.repeated for one in self.verdicts)

    @property
    def good(self) -> bool:
        """Whether the fault was met and did no harm."""
        return not self.lost and not self.invented and self.made != 0


def run(stage: Stage, rows: Sequence[Row], say: Callable[[str], None]) -> Iterator[Outcome]:
    """The outcome of each row."""
    for nth, row in enumerate(rows, start=1):
        outcome = _run_one(stage, row)
        made = "" if outcome.made is None else f"met {outcome.made} times, "
        say(
            f"{nth}/{len(rows)} {row.group}: {row.fault}: {made}lost {outcome.lost}, invented {outcome.invented},"
            f" repeated {outcome.repeated}, {outcome.through_s:.0f} s"
        )
        for verdict in outcome.verdicts:
            for problem in (*verdict.lost, *verdict.invented):
                say(f"    {problem}")
        yield outcome


def _run_one(stage: Stage, row: Row) -> Outcome:
    world = stage.world
    row.prepare(stage)
    exam_id = world.create_exam()
    crowd = [world.start(exam_id) for _ in range(row.crowd)]
    refs = [world.start(exam_id) for _ in range(_ATTEMPTS)]
    for ref in crowd:
        world.submit(ref)
    world.advance(5)
    stage.tick()
    world.advance(60)
    before = row.hits(stage) if row.hits else 0
    began_s = time.monotonic()
    row.begin(stage)
    submitted, timed_out, forced, by_system, marked, _running = refs
    world.submit(submitted)
    world.time_out(timed_out)
    world.force(forced)
    world.system_submit(by_system)
    world.submit(marked, 10)
    world.advance(5)
    stage.tick()
    row.meanwhile(stage)
    _suffer(stage, row, exam_id, before)
    world.mark(marked, 20)
    world.advance(5)
    stage.full_poll()
    made = row.hits(stage) - before if row.hits else None
    verdicts = stage.heal(exam_id)
    stage.forget(exam_id)
    return Outcome(row, made, verdicts, time.monotonic() - began_s)


def _suffer(stage: Stage, row: Row, exam_id: str, before: int) -> None:
    """Let the fault be met by everything on its way: until all that can be there in spite of it is, or for a while."""
    give_up_at = time.monotonic() + _SUFFER_S
    while time.monotonic() < give_up_at:
        met = row.hits is None or row.hits(stage) - before >= row.enough
        reached = [verdict for nth, verdict in enumerate(stage.verdicts(exam_id)) if nth not in row.behind]
        if met and all(verdict.good for verdict in reached):
            return
        time.sleep(0.5)
        stage.tick()
