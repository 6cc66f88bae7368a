"""Random activity: the past of an exam, and live candidates. The same seed gives the same activity.

Nothing runs in the background. Each access to the world first executes all due live activity, each change with the time
at which it was due.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.model import Status
from examhook_simulator.facts import AttemptRef, WorldError

if TYPE_CHECKING:
    from examhook_simulator.world import World

ENDS = (Status.SUBMITTED, Status.TIMED_OUT, Status.FORCED, Status.SYSTEM_SUBMITTED)
END_WEIGHTS = (80, 12, 5, 3)
"""Percentage of attempts with each of ENDS."""

SECONDS_PER_ATTEMPT = 600
"""Length of the past per attempt; at least one day in total."""

_PAST_RETAKE_SHARE = 0.05
_PAST_DURATIONS_S = (60, 3600)


@dataclass(frozen=True, slots=True, order=True)
class PastStep:
    """The start (``ends_as`` is None) or the end of an attempt."""

    at: int
    nth: int
    """Number of the attempt by start time."""
    ends_as: Status | None = None
    same_candidate_as: int | None = None
    """For a start: an earlier, ended attempt of the same candidate."""


def planned_past(rng: random.Random, attempts: int, until: int) -> list[PastStep]:
    """Return starts and ends of ``attempts`` attempts, sorted by time, none after ``until``."""
    span_s = max(86_400, attempts * SECONDS_PER_ATTEMPT)
    longest_s = _PAST_DURATIONS_S[1]
    begins = sorted(until - longest_s - rng.randrange(span_s) for _ in range(attempts))
    ends = [begin + rng.randint(*_PAST_DURATIONS_S) for begin in begins]
    steps: list[PastStep] = []
    retaken: set[int] = set()
    for nth, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        earlier = None
        if nth and rng.random() < _PAST_RETAKE_SHARE:
            guess = rng.randrange(nth)
            if ends[guess] < begin and guess not in retaken:
                earlier = guess
                retaken.add(guess)
        steps.append(PastStep(begin, nth, None, earlier))
        steps.append(PastStep(end, nth, rng.choices(ENDS, END_WEIGHTS)[0]))
    return sorted(steps, key=lambda step: (step.at, step.ends_as is not None, step.nth))


_RETAKE_SHARE = 0.1
_MARK_SHARE = 0.1
_REOPEN_SHARE = 0.02
_REMOVE_SHARE = 0.01
_NEW_EXAM_SHARE = 0.01
_CLOSE_EXAM_SHARE = 0.01
_DURATIONS_S = (30, 1800)

_Act = Callable[["World", int], None]


class LiveActivity:
    """New attempts from ``now`` on, on average ``per_minute``, and the later changes of each attempt."""

    def __init__(self, per_minute: float, now: int, rng: random.Random) -> None:
        self._mean_gap_s = 60 / per_minute
        self._rng = rng
        self._waiting: list[tuple[float, int, _Act]] = []
        self._planned = 0
        self._catching_up = False
        self._candidates: list[str] = []
        self._next_arrival_at = float(now)
        self._plan_arrival()

    def catch_up(self, world: World, now: int) -> None:
        """Execute everything that is due by ``now``. The caller holds the world's lock."""
        if self._catching_up:  # the acts call this method again
            return
        self._catching_up = True
        try:
            while self._waiting and self._waiting[0][0] <= now:
                at, _, act = heapq.heappop(self._waiting)
                self._execute(world, int(at), act)
        finally:
            self._catching_up = False

    @staticmethod
    def _execute(world: World, at: int, act: _Act) -> None:
        try:
            act(world, at)
        except WorldError:
            # A script has removed, ended or closed the subject of this act.
            return

    def _plan(self, at: float, act: _Act) -> None:
        self._planned += 1
        heapq.heappush(self._waiting, (at, self._planned, act))

    def _plan_arrival(self) -> None:
        # Whole seconds would shorten every gap, so count from the exact time of the last arrival.
        self._next_arrival_at += self._rng.expovariate(1 / self._mean_gap_s)
        self._plan(self._next_arrival_at, self._arrive)

    def _arrive(self, world: World, at: int) -> None:
        self._plan_arrival()
        open_exams = [exam for exam in world.exams() if exam.available]
        if not open_exams or self._rng.random() < _NEW_EXAM_SHARE:
            world.create_exam(at=at)
            return
        exam_id = str(self._rng.choice(open_exams).exam_id)
        if len(open_exams) > 1 and self._rng.random() < _CLOSE_EXAM_SHARE:
            world.close_exam(exam_id, at=at)
            self._plan(at + self._rng.randint(*_DURATIONS_S), lambda world, at: world.open_exam(exam_id, at=at))
            return
        again = self._candidates and self._rng.random() < _RETAKE_SHARE
        ref = world.start(exam_id, self._rng.choice(self._candidates) if again else None, at=at)
        self._plan_end(ref, at)

    def _plan_end(self, ref: AttemptRef, at: int) -> None:
        status = self._rng.choices(ENDS, END_WEIGHTS)[0]

        def end(world: World, at: int) -> None:
            match status:
                case Status.TIMED_OUT:
                    world.time_out(ref, at=at)
                case Status.FORCED:
                    world.force(ref, at=at)
                case Status.SYSTEM_SUBMITTED:
                    world.system_submit(ref, at=at)
                case _:
                    world.submit(ref, at=at)
            self._candidates.append(ref.candidate_id)
            self._plan_aftermath(ref, at)

        self._plan(at + self._rng.randint(*_DURATIONS_S), end)

    def _plan_aftermath(self, ref: AttemptRef, at: int) -> None:
        later = at + self._rng.randint(*_DURATIONS_S)
        chance = self._rng.random()
        score = self._rng.randrange(201) / 2

        def reopen(world: World, at: int) -> None:
            world.reopen(ref, at=at)
            self._plan_end(ref, at)

        if chance < _REMOVE_SHARE:
            self._plan(later, lambda world, at: world.remove(ref, at=at))
        elif chance < _REMOVE_SHARE + _REOPEN_SHARE:
            self._plan(later, reopen)
        elif chance < _REMOVE_SHARE + _REOPEN_SHARE + _MARK_SHARE:
            self._plan(later, lambda world, at: world.mark(ref, score, at=at))
