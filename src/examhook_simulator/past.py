"""A plausible past for an exam: attempts that began and ended before a given instant."""

from __future__ import annotations

import random
from dataclasses import dataclass

from examhook.model import Status

ENDS = (Status.SUBMITTED, Status.TIMED_OUT, Status.FORCED, Status.SYSTEM_SUBMITTED)
END_WEIGHTS = (80, 12, 5, 3)
"""Share of attempts that end in each of ENDS, in percent."""

SECONDS_PER_ATTEMPT = 600
"""Length of the past per attempt; the past is at least a day long."""

_RETAKE_SHARE = 0.05
_DURATIONS_S = (60, 3600)


@dataclass(frozen=True, slots=True, order=True)
class PastStep:
    """One attempt begins (``ends_as`` None) or ends."""

    at: int
    nth: int
    """Number of the attempt, in order of start."""
    ends_as: Status | None = None
    same_candidate_as: int | None = None
    """For a start: an earlier attempt of the same candidate that has ended by then."""


def planned_past(rng: random.Random, attempts: int, until: int) -> list[PastStep]:
    """Starts and ends of this number of attempts in order of time, all at ``until`` or before."""
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
