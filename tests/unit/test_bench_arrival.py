"""The section about the time from a submission to its webhook says what was measured and what was missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.template.translated_template import StackTemplate
from tools.bench.arrival import INTERVALS_S, Arrival, Interval, Scale
from tools.bench.arrival_page import lines, page
from tools.bench.delivery.page import unmet

GOOD = Interval(15, 120, 120, 9.0, 16.0, 18.0)


def measured(interval: Interval) -> Arrival:
    return Arrival(Scale(), [interval, Interval(60, 120, 120, 31.0, 58.0, 61.0)], 1200.0)


def test_the_default_interval_is_measured_first() -> None:
    assert str(INTERVALS_S[0]) == StackTemplate().resolve({"Ref": "PollSeconds"})


def test_each_measure_and_each_bound_is_on_the_page() -> None:
    run = measured(GOOD)
    text = page(run, lines(run))
    assert unmet(lines(run)) == []
    assert "| 9.0 s / 16.0 s / 18.0 s | yes |" in text
    assert "| 15 s | 75 s | 3.0 s |" in text
    assert "| 60 s | 120 s | 1.0 s |" in text


@pytest.mark.parametrize(
    ("missed", "measure"),
    [
        (replace(GOOD, p50_s=10.1), "first byte, a poll every 15 s"),
        (replace(GOOD, p95_s=20.1), "first byte, a poll every 15 s"),
        (replace(GOOD, longest_s=75.1), "first byte, a poll every 15 s"),
        (replace(GOOD, arrived=119), "webhook came, a poll every 15 s"),
    ],
)
def test_what_was_missed_is_said(missed: Interval, measure: str) -> None:
    (said,) = unmet(lines(measured(missed)))
    assert measure in said


def test_another_interval_is_held_to_its_own_bound() -> None:
    run = Arrival(Scale(), [Interval(60, 120, 120, 31.0, 58.0, 120.5)], 1200.0)
    assert len(unmet(lines(run))) == 1
