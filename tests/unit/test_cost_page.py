"""docs/cost.md follows from the measured units and the prices, and the README states the same costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.template.translated_template import StackTemplate
from tools.generate.cost_page import (
    ACCOUNTS_IN_A_STACK,
    ALARMS,
    INSTALLATIONS,
    KEY,
    KEY_ROTATION,
    METRICS,
    MINUTES,
    SECRET,
    WRITE_UNIT,
    Installation,
    interval_costs,
    month,
    page,
)
from tools.generate.meter import Measured, Units

ROOT = Path(__file__).parents[2]
NOTHING = Units(0, 0, 0)
UNITS = Measured(
    quiet_poll=Units(4, 2, 1.5),
    exam_in_quiet_poll=NOTHING,
    rotation=NOTHING,
    submission=NOTHING,
    event=Units(3, 9, 0),
    day_index_units=4,
    delivery=NOTHING,
    retry_tick=NOTHING,
)
SMALL, *_, MANY = INSTALLATIONS


def parts(installation: Installation, units: Measured = UNITS) -> dict[str, float]:
    return dict(month(installation, units).parts)


def test_every_exam_costs_four_reads_per_hour_because_of_the_rotation() -> None:
    writing = replace(UNITS, rotation=Units(1, 1, 0))
    more = parts(SMALL, writing)["DynamoDB"] - parts(SMALL)["DynamoDB"]
    assert more == pytest.approx(SMALL.exams * MINUTES / 15 * WRITE_UNIT)


@pytest.mark.parametrize("stacks", [1, 2])
def test_the_writes_of_every_retry_tick_are_included(stacks: int) -> None:
    installation = replace(SMALL, accounts=1 + (stacks - 1) * ACCOUNTS_IN_A_STACK)
    ticking = replace(UNITS, retry_tick=Units(1, 1, 0))
    more = parts(installation, ticking)["DynamoDB"] - parts(installation)["DynamoDB"]
    assert more == pytest.approx(stacks * MINUTES * WRITE_UNIT)


def test_accounts_beyond_the_limit_of_a_secret_are_priced_with_another_stack() -> None:
    assert (MANY.accounts, MANY.stacks) == (1_000, 2)
    found = parts(MANY)
    assert found["alarms and metrics"] == pytest.approx(2 * (ALARMS + METRICS))
    assert found["key, secret"] == pytest.approx(2 * KEY + 4 * SECRET), "each stack's own code, and its list"


def test_the_page_uses_the_default_interval() -> None:
    default = StackTemplate().resolve({"Ref": "PollSeconds"})
    assert {str(each.poll_seconds) for each in INSTALLATIONS if each.accounts == 1} == {default}


def test_a_shorter_interval_costs_its_polls_its_messages_and_a_third_queue() -> None:
    """Per minute, an interval of 15 s needs 15 queue polls, 1 request to send and 6 to receive."""
    each_minute = parts(replace(SMALL, poll_seconds=60))["SQS"]
    assert parts(SMALL)["SQS"] - each_minute == pytest.approx(MINUTES * (15 + 1 + 6) * 0.40e-6)
    assert parts(replace(SMALL, poll_seconds=5))["SQS"] - each_minute == pytest.approx(
        MINUTES * (15 + 2 + 22) * 0.40e-6
    )


def test_a_shorter_interval_costs_more_and_the_default_about_a_dollar() -> None:
    costs = interval_costs(UNITS)
    first, further = costs[60]
    assert first == further == 0
    assert list(costs.values()) == sorted(costs.values())
    assert costs[15][0] < 1.5


def test_the_page_and_the_readme_state_the_cost_of_the_rotated_key() -> None:
    rotated = f"{KEY + 2 * KEY_ROTATION:.2f}"
    said = " ".join(page(UNITS).split())
    assert f"at {KEY:.2f}. It rotates once a year; the first and the second rotation add {KEY_ROTATION:.2f}" in said
    assert f"from the third year on each stack's key costs {rotated}." in said
    readme = (ROOT / "README.md").read_text()
    (row,) = [line for line in readme.splitlines() if line.startswith("| the key that encrypts signing secrets")]
    assert rotated in row
    assert row.endswith(f"| {KEY:.2f} |")


def test_the_page_states_how_many_events_per_second_the_index_accepts() -> None:
    (line,) = [line for line in page(UNITS).splitlines() if "`by_day`" in line]
    assert "about 250 events a second, of 4 units each" in line


def test_both_pages_state_the_same_number_of_accounts_for_a_new_aws_account() -> None:
    accounts = (ROOT / "docs" / "accounts.md").read_text()
    assert "more than five accounts watched in one stack" in page(UNITS)
    assert "before you poll more than five accounts" in accounts
