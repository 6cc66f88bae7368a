"""The audit behind docs/faults.md and docs/soak.md finds lost, invented and repeated events."""

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
from tools.faults.audit import Audit, audit
from tools.faults.function_processes import FunctionProcess
from tools.faults.matrix import Result, read_results
from tools.faults.matrix_page import page as matrix_page
from tools.faults.memory import Samples
from tools.faults.rows import ROWS
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


def test_one_correct_event_passes() -> None:
    _, ledger = world_with_one_ended()
    result = audit(ledger, [told(ledger[-1], "submitted")])
    assert result == Audit(events=1)
    assert result.passed


def test_an_end_without_an_event_is_lost() -> None:
    _, ledger = world_with_one_ended()
    assert len(audit(ledger, []).lost) == 1
    assert len(audit(ledger, [told(ledger[1], "started")]).lost) == 1


def test_rescoring_without_an_event_is_lost() -> None:
    world, ledger = world_with_one_ended()
    world.mark(world.truth()[0].ref, 77)
    assert len(audit(world.ledger(), [told(ledger[-1], "submitted")]).lost) == 1
    marked = told(world.ledger()[-1], "rescored", 2)
    assert audit(world.ledger(), [told(ledger[-1], "submitted"), marked]).passed


def test_a_removal_without_an_event_is_lost_unless_no_poll_saw_the_attempt() -> None:
    world, ledger = world_with_one_ended()
    world.remove(world.truth()[0].ref)
    assert audit(world.ledger(), []).passed
    assert len(audit(world.ledger(), [told(ledger[-1], "submitted")]).lost) == 1


def test_a_repeated_event_is_not_invented() -> None:
    _, ledger = world_with_one_ended()
    result = audit(ledger, [told(ledger[-1], "submitted")] * 3)
    assert (result.passed, result.repeated, result.events) == (True, 2, 1)


def test_a_second_id_for_the_same_change_is_invented() -> None:
    _, ledger = world_with_one_ended()
    result = audit(ledger, [told(ledger[-1], "submitted"), told(ledger[-1], "submitted", 2)])
    assert len(result.invented) == 1


def test_other_facts_under_the_same_id_are_invented() -> None:
    _, ledger = world_with_one_ended()
    result = audit(ledger, [told(ledger[-1], "submitted"), told(ledger[-1], "submitted", score=31)])
    assert any("other facts" in problem for problem in result.invented)


def test_an_event_without_a_change_is_invented() -> None:
    _, ledger = world_with_one_ended()
    assert audit(ledger, [told(ledger[-1], "submitted"), told(ledger[-1], "forced", 2)]).invented
    assert audit(ledger, [told(ledger[-1], "submitted", score=99)]).invented
    stranger = replace(ledger[-1], candidate_id="999")
    assert audit(ledger, [told(ledger[-1], "submitted"), told(stranger, "submitted")]).invented


def test_an_announced_old_result_is_invented() -> None:
    world = World(1, VirtualClock())
    past = world.create_exam()
    (old, *_) = world.populate(past, 3)
    noted = len(world.ledger())
    world.submit(world.start(world.create_exam()), 30)
    ledger = world.ledger(noted)
    announced = told(ledger[-1], "submitted")
    of_the_past = next(each for each in world.ledger() if each.candidate_id == old.candidate_id)
    assert audit(ledger, [announced, told(of_the_past, "submitted")]).passed
    for event_type in ("submitted", "removed", "rescored"):
        result = audit(ledger, [announced, told(of_the_past, event_type)], frozenset({past}))
        assert result.invented
        assert not result.lost


def test_an_unreadable_score_may_follow_once() -> None:
    _, ledger = world_with_one_ended()
    unread = told(ledger[-1], "submitted").replace(b'"score": 30', b'"score": null')
    assert b"null" in unread
    follows = told(ledger[-1], "rescored", nth=2)
    assert audit(ledger, [unread, follows]).passed
    assert len(audit(ledger, [unread, follows, told(ledger[-1], "rescored", nth=3)]).invented) == 1
    assert len(audit(ledger, [told(ledger[-1], "submitted"), follows]).invented) == 1


def test_events_with_a_sequence_instead_of_a_revision_are_compared() -> None:
    world, ledger = world_with_one_ended()
    started = told(ledger[1], "started").replace(b'"revision": 1', b'"sequence": "0000000001"')
    assert b'"sequence"' in started
    ended = told(ledger[-1], "submitted", nth=2)
    assert audit(world.ledger(), [ended, started]).passed


def test_a_fault_that_never_occurred_makes_its_row_fail() -> None:
    result = Result("AWS", "a fault", None, lost=0, invented=0, repeated=0, took_s=1.0)
    assert result.passed
    assert replace(result, made=3).passed
    assert not replace(result, made=0).passed
    assert not replace(result, made=3, lost=1).passed
    assert not replace(result, made=3, invented=1).passed


def test_the_page_counts_the_results_of_an_incomplete_run_and_the_missing_rows(tmp_path: Path) -> None:
    file = tmp_path / "results"
    assert read_results(file) == []
    result = Result("AWS", "a fault", 3, lost=0, invented=0, repeated=4, took_s=1.0)
    for each in (replace(result, made=0), result):
        each.append_to(file)
    page = matrix_page(read_results(file), 5)
    assert "1 of 2 rows passed" in page
    assert "3 rows were not run" in page
    assert "| a fault | 3 | 0 | 0 | 4 |" in page


def test_no_two_rows_have_the_same_name() -> None:
    names = [f"{row.group}: {row.fault}" for row in ROWS]
    assert len(names) == len(set(names)) > 60


def test_memory_of_the_first_minutes_is_ignored() -> None:
    samples = Samples()
    for at_s, memory_kb in ((0, 10), (60, 50), (130, 60), (600, 61)):
        samples.add(at_s, FunctionProcess(1, "poll", memory_kb))
    samples.add(10, FunctionProcess(2, "poll", 90))
    (used,) = samples.memory_use()
    assert (used.lived_s, used.warm_kb, used.end_kb, used.most_kb) == (600, 60, 61, 90)


def test_steady_memory_growth_fails_a_soak_and_steps_do_not() -> None:
    def report(grown_kb: Callable[[int], int]) -> SoakReport:
        samples = Samples()
        for at_s in range(0, 3001, 30):
            samples.add(at_s, FunctionProcess(1, "poll", 100_000 + grown_kb(at_s)))
        return SoakReport(1, 1, 1, Counter(), 1, 1, 1, Counter(), [Audit(1)] * 3, samples.memory_use())

    # One that loads something three times, and one that loses 4 KiB each second.
    stepwise = report(lambda at_s: 10_000 * sum(at_s > step_s for step_s in (600, 1700, 2900)))
    assert stepwise.passed
    leaking = report(lambda at_s: at_s * 4)
    assert not leaking.passed
    (used,) = leaking.memory
    assert used.steady_kb == pytest.approx(11_500, rel=0.05)
    assert f"| poll | 50 min | 98.1 | 109.4 | {used.steady_kb / 1024:.1f} | 109.4 |" in soak_page(leaking)
