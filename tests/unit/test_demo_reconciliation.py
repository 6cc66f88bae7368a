"""What the demo expects of exams that open and close between two polls."""

from __future__ import annotations

import json

import pytest

from examhook_cli.demo.reconciliation import arrival_of, exam_fact, expected_facts
from examhook_simulator.facts import LedgerEntry, LedgerKind
from tests.support.events.event_examples import examples

CREATED, OPENED, CLOSED = LedgerKind.EXAM_CREATED, LedgerKind.EXAM_OPENED, LedgerKind.EXAM_CLOSED


@pytest.mark.parametrize(
    ("kinds", "event_type"),
    [
        ([CREATED], "exam.opened"),
        ([OPENED], "exam.opened"),
        ([CLOSED], "exam.closed"),
        ([CREATED, CLOSED], None),
        ([CLOSED, OPENED], None),
        ([CREATED, CLOSED, OPENED], "exam.opened"),
        ([CLOSED, OPENED, CLOSED], "exam.closed"),
    ],
)
def test_only_how_an_exam_stands_at_the_poll_counts(kinds: list[LedgerKind], event_type: str | None) -> None:
    ledger = [LedgerEntry(n, n, kind, "7") for n, kind in enumerate(kinds, start=1)]
    expected = [] if event_type is None else [exam_fact("7", event_type)]
    assert list(expected_facts([ledger]).elements()) == expected


def test_each_interval_counts_for_itself() -> None:
    intervals = [[LedgerEntry(n, n, kind, "7")] for n, kind in enumerate([CREATED, CLOSED, OPENED], start=1)]
    found = expected_facts(intervals)
    assert found[exam_fact("7", "exam.opened")] == 2
    assert found[exam_fact("7", "exam.closed")] == 1


def test_an_arrival_is_the_same_fact() -> None:
    event = examples()["exam.closed"]
    assert arrival_of(event.body).fact == exam_fact(json.loads(event.body)["data"]["exam"]["id"], "exam.closed")
