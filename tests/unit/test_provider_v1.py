"""Pages of the v1 API, in documented and expected forms."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.model import Attempt
from examhook.provider.errors import ProviderMalformed
from examhook.provider.port import NO_STATUS, Record, RecordPage, UnreadableRow
from examhook.provider.response_envelope import ErrorAnswer
from examhook.provider.v1 import parse_records

ROW = {
    "viewResult": "https://api.example/transgetresult?tid=1&token=t",
    "score": "2.50",
    "passed": "0",
    "status": "1",
    "startTime": "1639647217",
    "endTime": "1639647236",
    "sid": "170597",
    "loginValue": "n11",
    "name": "Tom",
    "eid": "107264",
}
ATTEMPT = Attempt(
    "170597",
    1639647217,
    1,
    "Tom",
    1639647236,
    Decimal("2.5"),
    passed=False,
    result_url="https://api.example/transgetresult?tid=1&token=t",
)


def body(*rows: object, **more: object) -> bytes:
    return json.dumps({"data": list(rows), "total": len(rows), "status": "ok", **more}).encode()


def test_a_documented_row_is_read_completely_although_every_value_is_text() -> None:
    assert parse_records(body(ROW, total=230)) == RecordPage((Record("107264", ATTEMPT, "n11"),), 1, 230)


def test_numbers_are_read_like_numbers_as_text() -> None:
    numbers = {**ROW, "score": 2.5, "passed": 0, "status": 1, "startTime": 1639647217, "endTime": 1639647236}
    assert parse_records(body({**numbers, "sid": 170597, "eid": 107264})) == parse_records(body(ROW))


def test_neither_link_nor_login_is_in_the_repr() -> None:
    shown = repr(parse_records(body(ROW)))
    assert "token" not in shown
    assert "n11" not in shown


@pytest.mark.parametrize("total", ["230", 230, "230.0"])
def test_the_total_is_read_as_text_and_as_number(total: object) -> None:
    assert parse_records(body(ROW, total=total)).total == 230


@pytest.mark.parametrize("total", [None, "", "many", -1, []])
def test_an_invalid_total_is_ignored(total: object) -> None:
    page = parse_records(body(ROW, total=total))
    assert page.total is None
    assert page.row_count == 1


def test_null_means_no_rows() -> None:
    assert parse_records(b'{"data":null,"total":0,"status":"ok"}') == RecordPage((), 0, 0)


def test_a_row_without_status_is_marked_for_another_request() -> None:
    (record,) = parse_records(body({name: value for name, value in ROW.items() if name != "status"})).records
    assert record.attempt.status_code == NO_STATUS


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"eid": None}, "eid is missing"),
        ({"eid": ""}, "eid is missing"),
        ({"eid": "1.7456789012346E+18"}, "eid is not a valid id"),
        ({"sid": None}, "sid is missing"),
        ({"startTime": "soon"}, "startTime is not a valid time"),
        ({"status": "done"}, "status is not a whole number"),
    ],
)
def test_an_invalid_row_is_skipped_and_the_others_are_read(change: dict[str, object], why: str) -> None:
    page = parse_records(body({**ROW, **change}, ROW))
    assert page.unreadable == (UnreadableRow(0, why),)
    assert len(page.records) == 1
    assert page.row_count == 2


def test_rows_of_another_exam_are_skipped() -> None:
    page = parse_records(body(ROW, {**ROW, "eid": "5"}), exam_id="5")
    assert [record.exam_id for record in page.records] == ["5"]
    assert page.unreadable == (UnreadableRow(0, "eid is not the requested one"),)


def test_rows_of_another_candidate_are_skipped() -> None:
    page = parse_records(body(ROW, {**ROW, "sid": "7"}), exam_id="107264", candidate_id="7")
    assert [record.attempt.candidate_id for record in page.records] == ["7"]
    assert page.unreadable == (UnreadableRow(0, "sid is not the requested one"),)


def test_an_unreadable_optional_field_is_none_and_counted() -> None:
    page = parse_records(
        body({**ROW, "score": "30/100", "endTime": "soon", "loginValue": []}, {**ROW, "score": "85,5"})
    )
    first, second = page.records
    assert (first.attempt.score_points, first.attempt.ended_at, first.login) == (None, None, None)
    assert second.attempt.score_points == Decimal("85.5")
    assert page.unreadable_fields == {"score": 1, "endTime": 1, "loginValue": 1}


def test_the_records_own_id_is_read() -> None:
    page = parse_records(body({**ROW, "tid": "1745678901234567890"}, ROW))
    assert [record.attempt.record_id for record in page.records] == ["1745678901234567890", None]


def test_a_row_need_not_name_the_requested_exam_and_candidate() -> None:
    bare = {name: value for name, value in ROW.items() if name not in {"eid", "sid"}}
    assert parse_records(body(bare), exam_id="107264", candidate_id="170597").records == (
        Record("107264", ATTEMPT, "n11"),
    )


@pytest.mark.parametrize("answer", [b"[]", b'[{"eid": 1}]', b"{}", b'{"data": []', b"", b'{"data": {}}', b"<html>"])
def test_an_answer_that_is_not_of_this_api_is_malformed(answer: bytes) -> None:
    """This includes the other dialect's empty list, which must not mean that nobody took an exam."""
    with pytest.raises(ProviderMalformed):
        parse_records(answer)


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["data", "status", "total", "eid"]), x),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_input_causes_another_error(answer: bytes) -> None:
    try:
        page = parse_records(answer)
    except (ProviderMalformed, ErrorAnswer):
        return
    assert page.row_count == len(page.records) + len(page.unreadable)
