"""A reader raises only its own errors on any input: the short run of ``python -m tools.faults.fuzz``."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examhook.destinations.delivery_queue import BadMessageError, parse_body
from examhook.destinations.redrive_queue import LOOK_BACK_S, parse_redrive
from examhook.provider.errors import ProviderError
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.response_errors import RequestKind, error_from_text
from examhook.storage.account_secrets import AccountsError, accounts_in
from tools.faults.fuzz import bodies, problem_with
from tools.faults.readers import READERS, Reader

DEEP = "[" * 100_000
ROW = b'{"sid": 7, "status": 1, "startTime": 1790000000, "endTime": 1790000100, "score": 30}'


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_reader_raises_only_its_own_errors_on_any_input(reader: Reader) -> None:
    seed = random.randrange(2**32)
    problems = {problem for body in bodies(seed, 300) if (problem := problem_with(reader, body))}
    assert not problems, f"seed {seed}"


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@settings(deadline=None, max_examples=50)
@given(body=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_or_text_crash_a_reader(reader: Reader, body: bytes) -> None:
    assert problem_with(reader, body) is None


def test_a_planted_crash_is_found() -> None:
    def crash(_body: bytes) -> None:
        raise KeyError("x")

    assert problem_with(Reader("a reader", crash, (ValueError,)), b"") == "a reader: KeyError"


@pytest.mark.parametrize("number", ["1e999999999", "-1e999999999", "1e-999999999", "NaN", "Infinity"])
@pytest.mark.parametrize("field", ["sid", "status", "startTime", "endTime", "score"])
def test_a_huge_number_costs_at_most_its_own_row(field: str, number: str) -> None:
    bad = b'{"sid": 8, "status": 1, "startTime": 1790000000, "endTime": 1790000100, "score": 30, "%s": %s}'
    page = parse_results(b"[" + bad % (field.encode(), number.encode()) + b", " + ROW + b"]")
    assert page.row_count == 2
    assert page.rows[-1].candidate_id == "7"
    assert page.rows[-1].score_points == Decimal(30)


def test_a_huge_count_reads_as_absent() -> None:
    page = parse_exams(b'[{"eid": 1, "times": 1e999999999}]')
    assert [exam.attempt_count for exam in page.rows] == [None]


@pytest.mark.parametrize("question", RequestKind)
@pytest.mark.parametrize(
    "said",
    [
        pytest.param("&#" + "9" * 5000 + ";", id="reference to a number too long for Python"),
        # Looked at from each of its places to the end, a megabyte would take an hour.
        pytest.param("<" * 1_000_000, id="tags that never end"),
        pytest.param("a" * 1_000_000, id="one long word"),
    ],
)
def test_an_error_text_of_any_kind_becomes_an_error(question: RequestKind, said: str) -> None:
    error = error_from_text(said, question, "the-code")
    assert isinstance(error, ProviderError)
    assert len(str(error)) < 500


def test_a_tag_in_an_error_text_is_left_out() -> None:
    assert "(it says: no such user)" in str(
        error_from_text("<b>no</b> such <i>user</i>", RequestKind.EXAMS, "the-code")
    )


def test_deep_nesting_on_the_delivery_queue_is_an_invalid_message() -> None:
    with pytest.raises(BadMessageError):
        parse_body(DEEP)


def test_deep_nesting_on_the_failure_queue_holds_nothing_up() -> None:
    """Like every message that is not an order, it requests a redrive around the time at which it was sent."""
    order = parse_redrive(DEEP, 1_790_000_000)
    assert (order.since, order.start_key) == (1_790_000_000 - LOOK_BACK_S, None)


def test_deep_nesting_in_the_accounts_secret_is_reported_as_invalid() -> None:
    with pytest.raises(AccountsError, match="is not a JSON object"):
        accounts_in(DEEP, "main")
