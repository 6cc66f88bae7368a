"""The section about the time from submission to webhook states the figures and the missed targets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.template.translated_template import StackTemplate
from tools.bench.delivery.arrival import INTERVALS_S, ArrivalTimes, Interval, Scale, goals, page
from tools.bench.report import missed

GOOD = Interval(15, 120, 120, 9.0, 16.0, 18.0)


def measured(interval: Interval) -> ArrivalTimes:
    return ArrivalTimes(Scale(), [interval, Interval(60, 120, 120, 31.0, 58.0, 61.0)], 1200.0)


def test_the_default_interval_is_measured_first() -> None:
    assert str(INTERVALS_S[0]) == StackTemplate().resolve({"Ref": "PollSeconds"})


def test_each_measure_and_each_bound_is_on_the_page() -> None:
    run = measured(GOOD)
    text = page(run, goals(run))
    assert missed(goals(run)) == []
    assert "| 9.0 s / 16.0 s / 18.0 s | yes |" in text
    assert "| 15 s | 75 s | 3.0 s |" in text
    assert "| 60 s | 120 s | 1.0 s |" in text


@pytest.mark.parametrize(
    ("interval", "measure"),
    [
        (replace(GOOD, p50_s=10.1), "at the receiver, a poll every 15 s"),
        (replace(GOOD, p95_s=20.1), "at the receiver, a poll every 15 s"),
        (replace(GOOD, longest_s=75.1), "at the receiver, a poll every 15 s"),
        (replace(GOOD, arrived=119), "webhook arrived, a poll every 15 s"),
    ],
)
def test_missed_targets_are_stated(interval: Interval, measure: str) -> None:
    (said,) = missed(goals(measured(interval)))
    assert measure in said


def test_each_interval_has_its_own_bound() -> None:
    run = ArrivalTimes(Scale(), [Interval(60, 120, 120, 31.0, 58.0, 120.5)], 1200.0)
    assert len(missed(goals(run))) == 1
