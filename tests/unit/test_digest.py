"""The digest of an exam's attempts: the same whatever their order, another one whatever changes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from examhook.detection.scan_result import ScanResult, digest_after_change, digest_of
from examhook.detection.transition import Change
from tests.support.events.model_values import AttemptFields, attempt, submission

ONE, OTHER = attempt(), attempt(candidate_id="2")


def test_batches_give_the_digest_of_all_rows() -> None:
    scan = ScanResult()
    scan.count([ONE])
    scan.count([OTHER])
    assert scan.digest == digest_of([ONE, OTHER])


def test_the_order_of_the_rows_makes_no_difference() -> None:
    assert digest_of([ONE, OTHER]) == digest_of([OTHER, ONE])


@pytest.mark.parametrize(
    "fact",
    [
        {"candidate_id": "3"},
        {"started_at": 1},
        {"status_code": 2},
        {"ended_at": 1},
        {"score_points": Decimal(1)},
        {"passed": False},
    ],
    ids=lambda fact: next(iter(fact)),
)
def test_each_fact_makes_a_difference(fact: AttemptFields) -> None:
    assert digest_of([replace(ONE, **fact), OTHER]) != digest_of([ONE, OTHER])


def test_links_names_and_what_a_running_attempt_shows_of_results_make_none() -> None:
    assert digest_of([replace(ONE, result_url="https://provider.test/2", candidate_name="M.")]) == digest_of([ONE])
    running = replace(ONE, status_code=0, ended_at=None, score_points=None, passed=None)
    assert digest_of([replace(running, score_points=Decimal(5))]) == digest_of([running])


@pytest.mark.parametrize("removed", [False, True])
def test_a_change_takes_the_old_row_out_and_the_new_one_in(removed: bool) -> None:  # noqa: FBT001
    before = submission(attempt=ONE)
    after = replace(before, attempt=replace(ONE, score_points=Decimal(1)), removed=removed)
    changed = digest_after_change(digest_of([ONE, OTHER]), Change(before, after))
    assert changed == digest_of([OTHER] if removed else [after.attempt, OTHER])
    assert digest_after_change(digest_of([OTHER]), Change(None, before)) == digest_of([ONE, OTHER])
