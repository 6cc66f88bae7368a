"""The comparison behind docs/faults.md and docs/soak.md sees what is lost, what is invented, and what only repeats."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from examhook_simulator.clock import VirtualClock
from examhook_simulator.facts import LedgerEntry
from examhook_simulator.world import World
from tools.faults.audit import Verdict, audit
from tools.faults.matrix import Outcome
from tools.faults.matrix_page import page as matrix_page
from tools.faults.memory import Samples
from tools.faults.function_processes import FunctionProcess
from tools.faults.results import Result, keep, read
from tools.faults.row import Row
from tools.faults.rows import ROWS
from tools.faults.scenarios import nothing
from tools.faults.soak_page import SoakReport
from tools.faults.soak_page import page as soak_page


def told(entry: LedgerEntry, event_type: str, nth: int = 1, score: float | None = None) -> bytes:
    """An event about a ledger entry's attempt."""
    began = datetime.fromtimestamp(entry.started_at or 0, UTC).isoformat()
    return json.dumps(
        {
            "id": f"{entry.candidate_id}-{nth}",
            "type": f"submission.{event_type}",
            "revision": nth,
            "data": {
                "exam": {"id": entry.exam_id},
                "candidate": {"id": entry.candidate_id},
                "submission": {"started_at": began, "score": entry.score if score is None else score},
            },
        }
    ).encode()


def world_with_one_ended() -> tuple[World, tuple[LedgerEntry, ...]]:
    world = World(1, VirtualClock())
    ref = world.start(world.create_exam())
    world.advance(60)
    world.submit(ref, 30)
    return world, world.ledger()


def test_what_was_told_once_and_right_is_good() -> None:
    _, ledger = world_with_one_ended()
    verdict = audit(ledger, [told(ledger[-1], "submitted")])
    assert verdict == Verdict(events=1)
    assert verdict.good


def test_an_end_that_nobody_heard_of_is_lost() -> None:
    _, ledger = world_with_one_ended()
    assert len(audit(ledger, []).lost) == 1
    assert len(audit(ledger, [told(ledger[1], "started")]).lost) == 1


def test_a_mark_that_nobody_heard_of_is_lost() -> None:
    world, ledger = world_with_one_ended()
    world.mark(world.truth()[0].ref, 77)
    assert len(audit(world.ledger(), [told(ledger[-1], "submitted")]).lost) == 1
    marked = told(world.ledger()[-1], "rescored", 2)
    assert audit(world.ledger(), [told(ledger[-1], "submitted"), marked]).good


def test_a_removal_that_nobody_heard_of_is_lost_unless_the_attempt_was_seen_by_nobody() -> None:
    world, ledger = world_with_one_ended()
    world.remove(world.truth()[0].ref)
    assert audit(world.ledger(), []).good
    assert len(audit(world.ledger(), [told(ledger[-1], "submitted")]).lost) == 1


def test_the_same_event_again_is_repeated_and_not_invented() -> None:
    _, ledger = world_with_one_ended()
    verdict = audit(ledger, [told(ledger[-1], "submitted")] * 3)
    assert (verdict.good, verdict.repeated, verdict.events) == (True, 2, 1)


def test_another_id_for_the_same_thing_is_invented() -> None:
    _, ledger = world_with_one_ended()
    verdict = audit(ledger, [told(ledger[-1], "submitted"), told(ledger[-1], "submitted", 2)])
    assert len(verdict.invented) == 1


def test_other_facts_under_the_same_id_are_invented() -> None:
    _, ledger = world_with_one_ended()
    verdict = audit(ledger, [told(ledger[-1], "submitted"), told(ledger[-1], "submitted", score=31)])
    assert any("other facts" in problem for problem in verdict.invented)


def test_what_never_happened_is_invented() -> None:
    _, ledger = world_with_one_ended()
    assert audit(ledger, [told(ledger[-1], "submitted"), told(ledger[-1], "forced", 2)]).invented
    assert audit(ledger, [told(ledger[-1], "submitted", score=99)]).invented
    stranger = replace(ledger[-1], candidate_id="999")
    assert audit(ledger, [told(ledger[-1], "submitted"), told(stranger, "submitted")]).invented


def test_an_old_result_that_is_announced_is_invented_whatever_exam_is_judged() -> None:
    world = World(1, VirtualClock())
    past = world.create_exam()
    (old, *_) = world.populate(past, 3)
    noted = len(world.ledger())
    world.submit(world.start(world.create_exam()), 30)
    ledger = world.ledger(noted)
    announced = told(ledger[-1], "submitted")
    of_the_past = next(each for each in world.ledger() if each.candidate_id == old.candidate_id)
    assert audit(ledger, [announced, told(of_the_past, "submitted")]).good
    for event_type in ("submitted", "removed", "rescored"):
        verdict = audit(ledger, [announced, told(of_the_past, event_type)], frozenset({past}))
        assert verdict.invented
        assert not verdict.lost


def test_a_score_that_could_not_be_read_at_first_may_follow_once() -> None:
    _, ledger = world_with_one_ended()
    unread = told(ledger[-1], "submitted").replace(b'"score": 30', b'"score": null')
    assert b"null" in unread
    follows = told(ledger[-1], "rescored", nth=2)
    assert audit(ledger, [unread, follows]).good
    assert len(audit(ledger, [unread, follows, told(ledger[-1], "rescored", nth=3)]).invented) == 1
    assert len(audit(ledger, [told(ledger[-1], "submitted"), follows]).invented) == 1


def test_events_of_versions_that_called_the_revision_sequence_are_compared_too() -> None:
    world, ledger = world_with_one_ended()
    started = told(ledger[1], "started").replace(b'"revision": 1', b'"sequence": "0000000001"')
    assert b'"sequence"' in started
    ended = told(ledger[-1], "submitted", nth=2)
    assert audit(world.ledger(), [ended, started]).good


def test_a_fault_that_was_never_met_makes_its_row_no_success() -> None:
    row = Row("AWS", "a fault", nothing)
    assert Outcome(row, None, [Verdict(1)], 1.0).good
    assert Outcome(row, 3, [Verdict(1)], 1.0).good
    assert not Outcome(row, 0, [Verdict(1)], 1.0).good
    assert not Outcome(row, 3, [Verdict(1, lost=("x",))], 1.0).good


def test_rows_that_were_kept_make_a_page_that_counts_them_and_says_how_many_are_missing(tmp_path: Path) -> None:
    kept = tmp_path / "results"
    assert read(kept) == []
    row = Row("AWS", "a fault", nothing)
    keep(kept, Result.of(Outcome(row, 0, [Verdict(1)], 1.0)))
    keep(kept, Result.of(Outcome(row, 3, [Verdict(2, repeated=4)], 1.0)))
    page = matrix_page(read(kept), 5)
    assert "1 of 2 rows as wanted" in page
    assert "3 more were not run" in page
    assert "| a fault | 3 | 0 | 0 | 4 |" in page


def test_rows_have_names_of_their_own() -> None:
    names = [f"{row.group}: {row.fault}" for row in ROWS]
    assert len(names) == len(set(names)) > 60


def test_memory_counts_from_when_a_process_is_warm() -> None:
    samples = Samples()
    for at_s, memory_kb in ((0, 10), (60, 50), (130, 60), (600, 61)):
        samples.add(at_s, FunctionProcess(1, "poll", memory_kb))
    samples.add(10, FunctionProcess(2, "poll", 90))
    (held,) = samples.held()
    assert (held.lived_s, held.warm_kb, held.end_kb, held.most_kb) == (600, 60, 61, 90)


def test_memory_that_goes_on_growing_makes_a_soak_no_success_and_steps_do_not() -> None:
    def report(grown_kb: Callable[[int], int]) -> SoakReport:
        samples = Samples()
        for at_s in range(0, 3001, 30):
            samples.add(at_s, FunctionProcess(1, "poll", 100_000 + grown_kb(at_s)))
        return SoakReport(1, 1, 1, Counter(), 1, 1, 1, Counter(), [Verdict(1)] * 3, samples.held())

    # One that loads something three times, and one that loses 4 KiB each second.
    stepwise = report(lambda at_s: 10_000 * sum(at_s > step_s for step_s in (600, 1700, 2900)))
    assert stepwise.good
    leaking = report(lambda at_s: at_s * 4)
    assert not leaking.good
    (held,) = leaking.held
    assert held.steady_kb == pytest.approx(11_500, rel=0.05)
    assert f"| poll | 50 min | 98.1 | 109.4 | {held.steady_kb / 1024:.1f} | 109.4 |" in soak_page(leaking)
