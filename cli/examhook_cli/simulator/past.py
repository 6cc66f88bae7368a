"""A plausible past for an exam: attempts that began and ended before a given instant."""

from __future__ import annotations

import random
from dataclasses import dataclass

from examhook.model import Status

ENDS = (Status.SUBMITTED, Status.TIMED_OUT, Status.FORCED, Status.SYSTEM_SUBMITTED)
END_WEIGHTS = (80, 12, 5, 3)
"""How often attempts end in each of ENDS, per cent."""

SECONDS_PER_ATTEMPT = 600
"""The past is as long as this times its attempts, and at least a day."""

_RETAKE_SHARE = 0.05
_DURATIONS_S = (60, 3600)


@dataclass(frozen=True, slots=True, order=True)
class PastStep:
    """One attempt begins (``ends_as`` None) or ends."""

    at: int
    nth: int
    """Which attempt, in the order in which they begin."""
    ends_as: Status | None = None
    same_candidate_as: int | None = None
    """At a beginning: an earlier attempt, ended by then, of the same candidate."""


def planned_past(rng: random.Random, attempts: int, until: int) -> list[PastStep]:
    """Beginnings and ends of so many attempts in the order of time, all of them at ``until`` or before."""
    span_s = max(86_400, attempts * SECONDS_PER_ATTEMPT)
    longest_s = _DURATIONS_S[1]
    begins = sorted(until - longest_s - rng.randrange(span_s) for _ in range(attempts))
    ends = [begin + rng.randint(*_DURATIONS_S) for begin in begins]
    steps: list[PastStep] = []
    retaken: set[int] = set()
    for nth, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        earlier = None
        if nth and rng.random() < _RETAKE_SHARE:
            guess = rng.randrange(nth)
            if ends[guess] < begin and guess not in retaken:
                earlier = guess
                retaken.add(guess)
        steps.append(PastStep(begin, nth, None, earlier))
        steps.append(PastStep(end, nth, rng.choices(ENDS, END_WEIGHTS)[0]))
    return sorted(steps, key=lambda step: (step.at, step.ends_as is not None, step.nth))
