"""Answers of hostile size, and what a poll says after a first contact that it could not complete."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from itertools import repeat

import pytest

from examhook.provider.errors import ProviderMalformed, ProviderUnavailable
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.port import UnreadableRow
from examhook.provider.rows import MAX_ROWS
from tests.support.provider.installation_with_quirks import Habits
from tests.support.provider.memory_provider import MemoryStage, row

_MEMORY_BYTES = 256 * 2**20
"""Half of what the function has."""


@pytest.mark.parametrize("parse", [parse_exams, parse_results], ids=["exams", "results"])
@pytest.mark.parametrize("part", [b"{}", b"[]", b"1", b'{"eid":1}', b"[[]]"])
def test_a_body_of_sixteen_mebibytes_of_small_values_takes_little_memory(
    parse: Callable[[bytes], object], part: bytes
) -> None:
    body = b"[" + b",".join(repeat(part, 16 * 2**20 // (len(part) + 1))) + b"]"
    tracemalloc.start()
    try:
        with pytest.raises(ProviderMalformed):
            parse(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _MEMORY_BYTES


def test_as_many_rows_as_the_product_asks_for_at_most_are_read() -> None:
    rows = [{"sid": number, "status": 1, "startTime": 1_700_000_000 + number} for number in range(MAX_ROWS)]
    assert parse_results(json.dumps(rows).encode()).row_count == MAX_ROWS
    with pytest.raises(ProviderMalformed):
        parse_results(json.dumps([*rows, {}]).encode())


def test_a_bomb_fails_its_exam_only_and_the_next_answer_is_read() -> None:
    habits = Habits()
    exam_ids = [habits.exam(5) for _ in range(3)]
    habits.poll()
    refs = [habits.submits(exam_id) for exam_id in exam_ids]
    habits.provider.switch("gzip_bomb=16@next1")
    habits.poll()
    habits.polls(6)
    assert sorted(habits.events()) == sorted((ref.candidate_id, "submitted") for ref in refs)


def test_after_a_first_contact_that_could_not_be_completed_no_poll_is_complete_until_it_is() -> None:
    """Out of time, at every step."""
    stage = MemoryStage()
    for exam_id in "789":
        stage.provider.add(exam_id, *(row(number) for number in range(350)))
    stage.requests_until_time_is_up = 5
    complete = []
    for minute in range(20):
        stage.requests_until_time_is_up = None if minute > 12 else 5
        report = stage.poll(manual=False)
        complete.append(report.complete)
        stage.provider.clock += 60
        states = stage.exam_states.of_account("main").values()
        assert report.complete is (len(states) == 3 and all(each.scanned_at is not None for each in states))
    assert complete[-1]
    assert not complete[0]


def test_a_first_contact_with_rows_that_cannot_be_read_is_complete_in_the_end_and_names_them() -> None:
    stage = MemoryStage()
    stage.provider.add("7", *(row(number) for number in range(20)))
    stage.provider.unreadable["7"] = (UnreadableRow(20, "startTime is missing"),)
    reports = [report for _, report in stage.minutes(45)]
    assert not reports[0].complete
    assert reports[-1].complete
    assert reports[-1].unannounced_rows == 1
    assert any("1 rows cannot be announced: startTime is missing" in note for note in reports[0].notes)


def test_exams_that_fail_at_first_contact_keep_every_poll_incomplete_until_they_are_scanned() -> None:
    stage = MemoryStage()
    for exam_id in "789":
        stage.provider.add(exam_id, row(int(exam_id)))
    stage.provider.failures["8"] = ProviderUnavailable("It does not answer.")
    assert not any(report.complete for _, report in stage.minutes(10))
    stage.provider.failures.clear()
    assert any(report.complete for _, report in stage.minutes(10))
