"""The benchmarks count what they say they count, on a world of two exams."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cloud import running_cloud
from bench.drift import drift
from bench.interruption import interrupt
from bench.peers import Naive, floor
from bench.product import Polled, Product
from bench.provider import running_provider
from bench.steady import Steady, Watcher, watch
from bench.units import UncountableError, item_bytes

pytestmark = pytest.mark.skipif(
    not Path(".venv-emulator/bin/python").exists(), reason="the emulator's environment is not set up"
)

EXAMS, ROWS = 2, 30


def test_counts_of_a_tiny_world_are_those_of_what_happened_in_it() -> None:
    """Events, requests and units of a first contact and of busy ticks, beside the floor and the naive script."""
    with running_provider(EXAMS, ROWS) as provider, running_cloud(provider.code) as cloud:
        with Product(cloud, provider, "main") as product, floor(provider) as reader:
            first = product.poll()
            naive = Naive(cloud, provider, provider.exam_ids[:1])
            steady = watch(Watcher(product, provider), reader, provider.exam_ids[:1], 1, naive)
        _check_first(first)
        _check_steady(steady)
        (compared,) = naive.answers
        assert (compared.whole("changes"), compared.number("write_units")) == (10, 10)
        assert compared.number("read_units") == (ROWS + 10) * 0.5
        assert steady.full_pass.floor.whole("requests") == 1 + EXAMS


def _check_first(first: Polled) -> None:
    assert first.rows == EXAMS * ROWS
    assert first.events.total() == 0
    assert first.write_units >= EXAMS * ROWS


def _check_steady(steady: Steady) -> None:
    # Nothing; five begin, five end and five begin, five end; one begins, one ends and one begins, one ends.
    assert steady.truth.happened == 5 + 10 + 5 + 1 + 2 + 1
    assert (steady.truth.invented, steady.truth.missed) == (0, 0)
    assert steady.few_busy.events.total() == 10
    assert steady.few_busy.write_units >= 10
    assert steady.full_pass.product.rows >= EXAMS * ROWS


def test_a_killed_first_contact_is_counted_to_its_end() -> None:
    with running_provider(EXAMS, ROWS) as provider, running_cloud(provider.code) as cloud:
        result = interrupt(cloud, provider, "main", EXAMS, [1])
    assert result.pages_asked >= result.pages_needed == EXAMS


def test_moving_rows_move_and_are_told_apart() -> None:
    """One row is deleted and one is handed in, in each of two passes; the deleted ones are truly gone."""
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


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "ä"}}, 2 + 2),
        ({"n": {"N": "-12.50"}}, 1 + 3),
        ({"b": {"BOOL": True}}, 1 + 1),
        ({"l": {"L": [{"S": "ab"}]}}, 1 + 3 + 1 + 2),
        ({"m": {"M": {"k": {"S": "ab"}}}}, 1 + 3 + 1 + 1 + 2),
    ],
)
def test_items_are_as_large_as_dynamodb_says(item: dict[str, object], size: int) -> None:
    assert item_bytes(item) == size


def test_an_unknown_kind_of_value_is_not_guessed_at() -> None:
    with pytest.raises(UncountableError):
        item_bytes({"b": {"B": b"x"}})
