"""The simulated world: the acts of a script, their ledger entries, and that randomness comes from the seed alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.model import Status
from examhook_simulator.clock import FROZEN_START_AT, VirtualClock
from examhook_simulator.facts import AttemptCount, AttemptRef, LedgerKind, WorldError
from examhook_simulator.world import World

ENDS: dict[LedgerKind, tuple[Callable[[World, AttemptRef], None], Status]] = {
    LedgerKind.SUBMITTED: (lambda world, ref: world.submit(ref, 30), Status.SUBMITTED),
    LedgerKind.TIMED_OUT: (lambda world, ref: world.time_out(ref, 30), Status.TIMED_OUT),
    LedgerKind.FORCED: (lambda world, ref: world.force(ref, 30), Status.FORCED),
    LedgerKind.SYSTEM_SUBMITTED: (lambda world, ref: world.system_submit(ref, 30), Status.SYSTEM_SUBMITTED),
}


@pytest.mark.parametrize("kind", ENDS)
def test_each_way_to_end_an_attempt_is_in_the_ledger_and_in_the_truth(kind: LedgerKind) -> None:
    world = World()
    ref = world.start(world.create_exam("Fire safety"), name="Tom")
    world.advance(90)
    end, status = ENDS[kind]
    end(world, ref)

    entry = world.ledger()[-1]
    assert (entry.n, entry.at, entry.kind) == (3, FROZEN_START_AT + 90, kind)
    assert (entry.candidate_id, entry.started_at) == (ref.candidate_id, FROZEN_START_AT)
    assert (entry.status, entry.score, entry.ended_at) == (status, 30, FROZEN_START_AT + 90)
    (row,) = world.truth()
    assert (row.ref, row.name, row.status, row.score, row.passed) == (ref, "Tom", status, 30, False)
    with pytest.raises(WorldError, match="already ended"):
        end(world, ref)


def test_rescoring_changes_only_the_score_and_only_of_an_ended_attempt() -> None:
    world = World()
    ref = world.start(world.create_exam())
    with pytest.raises(WorldError, match="Only an ended attempt"):
        world.mark(ref, 70)
    world.submit(ref, 30)
    before = world.truth()[0]
    world.advance(600)
    world.mark(ref, 70)
    after = world.truth()[0]
    assert (after.score, after.passed) == (70, True)
    assert (after.status, after.ended_at) == (before.status, before.ended_at)
    assert world.ledger()[-1].kind is LedgerKind.RESCORED


def test_a_reopened_attempt_runs_and_ends_again() -> None:
    world = World()
    ref = world.start(world.create_exam())
    world.submit(ref)
    world.reopen(ref)
    assert (world.truth()[0].status, world.truth()[0].ended_at) == (Status.IN_TEST, None)
    with pytest.raises(WorldError, match="already running"):
        world.reopen(ref)
    world.force(ref)
    kinds = [entry.kind for entry in world.ledger()]
    assert kinds == ["exam_created", "started", "submitted", "reopened", "forced"]


def test_a_removed_attempt_is_gone_and_stays_in_the_ledger() -> None:
    world = World()
    ref = world.start(world.create_exam())
    world.remove(ref)
    assert world.truth() == ()
    assert world.ledger()[-1].kind is LedgerKind.REMOVED
    with pytest.raises(WorldError, match="no attempt"):
        world.submit(ref)


def test_one_candidate_takes_an_exam_again_under_the_same_id_and_name() -> None:
    world = World()
    exam_id = world.create_exam()
    first = world.start(exam_id, name="王小明")
    with pytest.raises(WorldError, match="in this second"):
        world.start(exam_id, first.candidate_id)
    world.advance(1)
    second = world.start(exam_id, first.candidate_id)
    assert second.candidate_id == first.candidate_id
    assert second.started_at == first.started_at + 1
    assert [row.name for row in world.truth()] == ["王小明", "王小明"]


def test_no_attempt_starts_in_a_closed_exam_but_a_running_one_can_be_forced() -> None:
    world = World()
    exam_id = world.create_exam()
    ref = world.start(exam_id)
    world.close_exam(exam_id)
    with pytest.raises(WorldError, match="closed"):
        world.start(exam_id)
    world.force(ref)
    world.open_exam(exam_id)
    kinds = [entry.kind for entry in world.ledger()]
    assert kinds == ["exam_created", "started", "exam_closed", "forced", "exam_opened"]
    with pytest.raises(WorldError, match="is already available"):
        world.open_exam(exam_id)


@pytest.mark.parametrize("exam_id", ["1", "", "x", "-1"])
def test_a_missing_exam_is_named_in_the_error(exam_id: str) -> None:
    with pytest.raises(WorldError, match="There is no exam"):
        World().start(exam_id)


def test_time_stands_still_until_it_is_moved_and_never_goes_back() -> None:
    world = World()
    assert world.now() == FROZEN_START_AT
    assert world.advance(10) == world.now() == FROZEN_START_AT + 10
    with pytest.raises(WorldError, match="back"):
        world.advance(-1)
    with pytest.raises(WorldError, match="back"):
        world.run_at(-1)


def test_a_running_clock_follows_real_time_at_its_speed_and_keeps_the_time_when_the_speed_changes() -> None:
    real_s = [100.0]
    clock = VirtualClock(1000, speed=60, elapsed_s=lambda: real_s[0])
    real_s[0] += 2
    assert clock.now() == 1120
    clock.run_at(1)
    clock.advance(5)
    real_s[0] += 3
    assert clock.now() == 1128


@given(st.integers(0, 80), st.integers(0, 1000))
def test_populate_adds_the_given_number_of_ended_attempts(attempts: int, seed: int) -> None:
    world = World(seed)
    exam_id = world.create_exam()
    until = world.now() - 500
    refs = world.populate(exam_id, attempts, until)
    rows = world.truth(exam_id)
    assert {row.ref for row in rows} == set(refs)
    assert len(rows) == attempts
    assert all(row.started_at < (row.ended_at or 0) <= until for row in rows)
    times = [entry.at for entry in world.ledger()[1:]]
    assert times == sorted(times)


def test_a_large_past_contains_every_kind_of_end_and_retakes() -> None:
    world = World()
    exam_id = world.create_exam()
    world.populate(exam_id, 500)
    statuses = Counter(row.status for row in world.truth())
    assert set(statuses) == {1, 2, 3, 4}
    takes = Counter(row.candidate_id for row in world.truth())
    assert max(takes.values()) > 1


def attempt_count(world: World, exam_id: str) -> int:
    with world.locked() as now:
        return world.exam(exam_id).attempt_count(now)


def test_the_attempt_count_counts_starts_or_finishes() -> None:
    world = World()
    exams = {counts: world.create_exam(counts=counts) for counts in AttemptCount}

    def shown() -> dict[str, int]:
        return {counts: attempt_count(world, exam_id) for counts, exam_id in exams.items()}

    refs = [world.start(exam_id) for exam_id in exams.values()]
    assert shown() == {"starts": 1, "finishes": 0}
    for ref in refs:
        world.submit(ref)
    assert shown() == {"starts": 1, "finishes": 1}
    for ref in refs:
        world.reopen(ref)
        world.force(ref)
        world.remove(ref)
    assert shown() == {"starts": 1, "finishes": 1}, "the count never shrinks, and counts no attempt twice"


def test_the_meaning_of_the_attempt_count_can_be_changed_for_one_exam_or_for_all() -> None:
    world = World()
    first, second = world.create_exam(), world.create_exam()
    for exam_id in (first, second):
        world.start(exam_id)
    world.set_attempt_count(AttemptCount.FINISHES)
    assert (attempt_count(world, first), attempt_count(world, second)) == (0, 0)
    world.set_attempt_count(AttemptCount.STARTS, first)
    assert (attempt_count(world, first), attempt_count(world, second)) == (1, 0)


def test_the_status_of_an_ended_attempt_can_change_while_score_and_end_stay() -> None:
    world = World()
    ref = world.start(world.create_exam())
    with pytest.raises(WorldError, match="status 0"):
        world.change_status(ref, Status.FORCED)
    world.submit(ref, 30)
    before = world.truth()[0]
    world.advance(600)
    world.change_status(ref, Status.FORCED)
    after = world.truth()[0]
    assert (before.status, after.status) == (Status.SUBMITTED, Status.FORCED)
    assert (after.score, after.ended_at) == (before.score, before.ended_at)
    assert (world.ledger()[-1].kind, world.ledger()[-1].at) == (LedgerKind.FORCED, world.now())
    for impossible in (Status.FORCED, Status.IN_TEST):
        with pytest.raises(WorldError, match="cannot get status"):
            world.change_status(ref, impossible)


def test_the_past_of_an_exam_can_be_read_at_any_instant() -> None:
    """At each instant the rows equal the truth then, including removed attempts."""
    world = World(3)
    world.populate(world.create_exam(), 20)
    world.live(12)
    looks = {world.advance(60): (world.truth(), len(world.ledger())) for _ in range(100)}
    compared = 0
    for at, (truth, entries) in looks.items():
        if any(entry.at <= at for entry in world.ledger(entries)):
            continue  # live activity acts within seconds, and this one happened later in the same second
        compared += 1
        exams = [exam for exam in world.exams() if exam.available_as_of(at) is not None]
        assert tuple(exam.truth(row) for exam in exams for row in exam.rows_as_of(at)) == truth
    assert compared > 60
    assert LedgerKind.REMOVED in {entry.kind for entry in world.ledger()}


def lived(seed: int, looks: list[int]) -> World:
    """A world with an hour of live activity, read after each of ``looks`` seconds."""
    world = World(seed)
    world.populate(world.create_exam(), 20)
    world.create_exam()
    world.live(30)
    for seconds in looks:
        world.advance(seconds)
    return world


def test_live_activity_depends_on_the_seed_and_not_on_reads() -> None:
    once, often = lived(5, [7200]), lived(5, [360] * 20)
    assert once.ledger() == often.ledger()
    assert once.truth() == often.truth()
    assert lived(6, [7200]).ledger() != once.ledger()


def test_live_activity_does_everything_that_can_happen() -> None:
    happened = Counter(entry.kind for entry in lived(1, [4 * 3600]).ledger())
    assert set(happened) == set(LedgerKind)
    assert 30 * 60 * 4 * 0.9 < happened[LedgerKind.STARTED] < 30 * 60 * 4 * 1.1


def test_live_activity_ends_when_it_is_switched_off() -> None:
    world = lived(1, [3600])
    world.live(0)
    before = world.ledger()
    world.advance(3600)
    assert world.ledger() == before


def test_live_activity_continues_when_a_script_removes_its_attempts() -> None:
    world = lived(1, [3600])
    for row in world.truth():
        if row.status == Status.IN_TEST:
            world.remove(row.ref)
    before = len(world.ledger())
    world.advance(7200)
    assert Counter(entry.kind for entry in world.ledger(before))[LedgerKind.SUBMITTED] > 0


def test_the_ledger_replayed_gives_the_truth() -> None:
    """Ledger and truth are separate, so each verifies the other."""
    world = lived(3, [7200])
    replayed: dict[AttemptRef, tuple[int | None, float | None, int | None]] = {}
    for entry in world.ledger():
        if entry.candidate_id is None or entry.started_at is None:
            continue
        ref = AttemptRef(entry.exam_id, entry.candidate_id, entry.started_at)
        if entry.kind is LedgerKind.REMOVED:
            del replayed[ref]
        else:
            replayed[ref] = (entry.status, entry.score, entry.ended_at)
    assert replayed == {row.ref: (row.status, row.score, row.ended_at) for row in world.truth()}
    assert [entry.n for entry in world.ledger()] == list(range(1, len(world.ledger()) + 1))
