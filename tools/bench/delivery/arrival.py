"""Time from a candidate's submission to the first byte at the receiver, through the whole local stack."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examhook.events.catalogue import EventType
from examhook.events.identity import submission_event_id
from examhook.model import AttemptKey
from examhook_simulator.facts import AttemptRef
from tools.bench.delivery.latency import share_of
from tools.bench.delivery.receivers import Receivers
from tools.bench.delivery.stack import Watched, running_stack
from tools.bench.provider import SCORE_POINTS, Provider, running_provider

INTERVALS_S = (15, 30, 60)
_ACCOUNT = "main"
_PROBE_EVERY_S = 5
_WATCHED_WITHIN_S = 300
_SETTLE_S = 120
"""After the last submission everything has come within this, or is lost."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is played for each interval."""

    submissions: int = 120
    seconds: int = 240
    exams: int = 3
    rows: int = 100
    """Attempts of each exam that had ended before."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What one interval gave."""

    poll_seconds: int
    submissions: int
    arrived: int
    p50_s: float
    p95_s: float
    longest_s: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """The measures of all intervals."""

    scale: Scale
    intervals: Sequence[Interval]
    whole_run_s: float


class NotWatchedError(RuntimeError):
    """No poll found anything; the stack's logs say why."""


def measure(
    say: Callable[[str], None], scale: Scale | None = None, intervals_s: Sequence[int] = INTERVALS_S
) -> Arrival:
    """Play each interval in a stack of its own; raises NotWatchedError."""
    scale, began_s = scale or Scale(), time.monotonic()
    found = []
    for poll_seconds in intervals_s:
        say(f"{scale.submissions} submissions, a poll every {poll_seconds} s")
        with running_provider(scale.exams, scale.rows) as provider, Receivers(1) as receivers:
            watched = Watched(provider.url, provider.code, str(poll_seconds))
            with running_stack(receivers.urls, watched):
                found.append(_interval(provider, receivers, poll_seconds, scale))
    return Arrival(scale, found, time.monotonic() - began_s)


def _interval(provider: Provider, receivers: Receivers, poll_seconds: int, scale: Scale) -> Interval:
    _wait_until_watched(provider, receivers)
    rng = random.Random(poll_seconds)  # noqa: S311 - chance of a benchmark
    moments_s = sorted(rng.uniform(0, scale.seconds) for _ in range(scale.submissions))
    refs = provider.start_in([provider.exam_ids[nth % scale.exams] for nth in range(scale.submissions)])
    submitted: dict[str, float] = {}
    began_s = time.monotonic()
    for moment_s, ref in zip(moments_s, refs, strict=True):
        time.sleep(max(0.0, began_s + moment_s - time.monotonic()))
        submitted[_event_id(ref)] = time.time()
        provider.control.submit(ref, SCORE_POINTS)
    first = _first_arrivals(receivers, submitted)
    took_s = sorted(at - submitted[event_id] for event_id, at in first.items())
    return Interval(
        poll_seconds, len(submitted), len(took_s), share_of(took_s, 0.5), share_of(took_s, 0.95), share_of(took_s, 1)
    )


def _wait_until_watched(provider: Provider, receivers: Receivers) -> None:
    """Submit until one is delivered: what ended before the first poll is not announced."""
    give_up_s = time.monotonic() + _WATCHED_WITHIN_S
    while not receivers.arrivals():
        if time.monotonic() > give_up_s:
            raise NotWatchedError(f"nothing was delivered within {_WATCHED_WITHIN_S} s")
        provider.submit_all(provider.start_in(provider.exam_ids[:1]))
        time.sleep(_PROBE_EVERY_S)


def _first_arrivals(receivers: Receivers, submitted: dict[str, float]) -> dict[str, float]:
    """When each of these events came first, Unix seconds."""
    give_up_s = time.monotonic() + _SETTLE_S
    first: dict[str, float] = {}
    while len(first) < len(submitted) and time.monotonic() < give_up_s:
        for each in receivers.arrivals():
            if each.event_id in submitted:
                first.setdefault(each.event_id, each.at)
        time.sleep(1)
    return first


def _event_id(ref: AttemptRef) -> str:
    key = AttemptKey(ref.started_at, ref.candidate_id)
    return submission_event_id(_ACCOUNT, ref.exam_id, key, EventType.SUBMITTED.value, 1)
