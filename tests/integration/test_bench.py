"""The benchmarks count what they say they count, on a world of two exams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from examhook.detection.transition import Observation, diff
from examhook.model import Attempt, Exam
from examhook.storage.submissions import SubmissionsTable
from tools.bench.cloud import SUBMISSIONS, running_cloud
from tools.bench.detection.disruptions import drift
from tools.bench.detection.figures import Scale
from tools.bench.detection.goals import goals
from tools.bench.detection.lambda_sized import variables_of
from tools.bench.detection.page import page
from tools.bench.detection.product import Product
from tools.bench.detection.run import run
from tools.bench.provider import running_provider
from tools.bench.units import UncountableError, UnitCounter, item_bytes
from tools.processes import PROJECT

pytestmark = pytest.mark.skipif(
    not Path(".venv-emulator/bin/python").exists(), reason="the emulator's environment is not set up"
)

TINY = Scale(
    exams=2,
    rows=30,
    busy=1,
    scans=1,
    small_exams=2,
    small_rows=30,
    small_larger=0,
    many_exams=3,
    many_rows=20,
    many_busy=1,
    contact_rows=20,
    contact_requests=6,
    memory_mb=(256,),
)


@pytest.mark.slow
def test_a_run_on_a_tiny_world_counts_what_happened_in_it() -> None:
    """Every measure is played, and those whose figure follows from the world's size have it."""
    measured = run(TINY, lambda _: None, None)
    for steady in measured.orders:
        # Five begin, five end and five begin, five end; one begins, one ends and one begins, one ends.
        assert steady.check.happened == 5 + 10 + 5 + 1 + 2 + 1
        assert (steady.check.invented, steady.check.missed) == (0, 0)
        assert steady.few_busy.events.total() == 10
        assert steady.few_busy.write_units >= 10
    assert measured.large.first.rows == 2 * 30
    assert measured.large.first.events.total() == 0
    assert measured.large.first.write_units >= 2 * 30
    assert measured.floor.whole("requests") == 1 + 2
    assert (measured.large.naive.whole("changes"), measured.large.naive.number("write_units")) == (10, 10)
    assert measured.large.naive.number("read_units") == (30 + 10) * 0.5
    assert measured.interrupted.pages >= measured.interrupted.pages_needed == 2 * 2
    assert (measured.many.check.missed, measured.many.check.invented) == (0, 0)
    assert measured.large.sized[256].rows > 2 * 30
    assert measured.many.sized[256].events.total() == 2
    # One ends in the middle of each poll and one after it; one runs to the end. What was there before is an old result.
    contact = measured.contact
    assert contact.polls >= 2
    assert contact.ended == 2 * contact.polls
    assert (contact.lost, contact.invented, contact.announced) == (0, 0, contact.ended + 1)
    table = goals(measured)
    written = page(measured, table)
    assert all(line.measure in written for line in table)


def test_what_is_written_in_transactions_costs_twice_and_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    exam = Exam("1", "Anatomy", available=True, attempt_count=60)
    attempts = [Attempt(str(number), 1_700_000_000, 1) for number in range(60)]
    ours, rivals = (diff(attempts, {}, Observation("main", exam, 1_700_000_000, fence)) for fence in (1, 2))
    with running_cloud("code") as cloud, monkeypatch.context() as patched:
        for name, value in cloud.environ.items():
            patched.setenv(name, value)
        patched.setattr(boto3, "DEFAULT_SESSION", None)
        counter = UnitCounter.of_this_process()
        table = SubmissionsTable(boto3.client("dynamodb"), SUBMISSIONS)
        table.write(rivals[:1])
        assert (counter.write_units, len(counter.announced)) == (1, 1)
        counter.reset()
        assert table.write(ours) == ours[:1]
    # The cancelled transaction, and the one without the item that was refused.
    assert counter.write_units == 2 * 60 + 2 * 59
    assert [event.candidate_id for event in counter.announced] == [
        change.after.attempt.candidate_id for change in ours[1:]
    ]


def test_moving_rows_move_and_are_told_apart() -> None:
    """Each of two passes deletes one row and submits one; the deleted rows stay deleted."""
    with (
        running_provider(1, 250) as provider,
        running_cloud(provider.code) as cloud,
        Product(cloud, provider, "main") as product,
    ):
        product.poll()
        result = drift(cloud, product, provider, "main", provider.exam_ids)
        assert len(provider.control.truth()) == 250
    assert result.true_removals == 2
    assert (result.false_removals, result.missing_one_poll_after) == (0, 0)


@pytest.mark.parametrize(("wanted_mb", "status"), [(16, 0), (256, 1)])
def test_a_process_gets_no_more_memory_than_a_function_of_its_size(wanted_mb: int, status: int) -> None:
    take = f"import os; keep_to_memory(os.environ); bytearray({wanted_mb} * 1024 * 1024)"
    program = subprocess.run(
        [sys.executable, "-c", f"from tools.bench.detection.lambda_sized import keep_to_memory; {take}"],
        env={**os.environ, **variables_of(256), "PYTHONPATH": str(PROJECT)},
        stderr=subprocess.PIPE,
        check=False,
    )
    assert program.returncode == status
    assert (b"MemoryError" in program.stderr) is bool(status)


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "ä"}}, 2 + 2),
        ({"n": {"N": "-12.50"}}, 1 + 3),
        ({"b": {"BOOL": True}}, 1 + 1),
        ({"b": {"B": b"xyz"}}, 1 + 3),
        ({"l": {"L": [{"S": "ab"}]}}, 1 + 3 + 1 + 2),
        ({"m": {"M": {"k": {"S": "ab"}}}}, 1 + 3 + 1 + 1 + 2),
    ],
)
def test_items_are_as_large_as_dynamodb_says(item: dict[str, object], size: int) -> None:
    assert item_bytes(item) == size


def test_an_unknown_kind_of_value_is_not_guessed_at() -> None:
    with pytest.raises(UncountableError):
        item_bytes({"s": {"SS": ["x"]}})
