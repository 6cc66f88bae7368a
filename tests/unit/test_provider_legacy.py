"""Pages of the legacy API, in every shape that its answers are known or feared to have."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.model import Attempt, Exam
from examhook.provider.errors import ProviderMalformed
from examhook.provider.legacy import ErrorAnswer, parse_exams, parse_results
from examhook.provider.pages import NO_STATUS, ExamPage, ResultsPage, UnreadableRow

EXAM = {
    "eid": 23812,
    "title": "exam title",
    "img": "https://fs.example/x.jpg",
    "url": "https://ks.example/23812",
    "createTime": 1539075828,
    "available": 1,
    "times": 3918,
    "category": "category name",
}
ROW = {
    "viewResult": "https://ks.example/viewresult/token",
    "score": 30,
    "startTime": 1539075728,
    "endTime": 1539075828,
    "status": 1,
    "sid": 19382,
    "name": "Tom",
}
ATTEMPT = Attempt("19382", 1539075728, 1, "Tom", 1539075828, Decimal(30), None, "https://ks.example/viewresult/token")


def without(row: dict[str, object], *fields: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in fields}


def exams(*rows: object) -> ExamPage:
    return parse_exams(json.dumps(rows).encode())


def results(*rows: object, candidate_id: str | None = None) -> ResultsPage:
    return parse_results(json.dumps(rows).encode(), candidate_id)


def attempt(**fields: object) -> Attempt:
    """The documented row with some fields changed, read; the test fails if it could not be."""
    (found,) = results({**ROW, **fields}).rows
    return found


def test_the_documented_exam_is_read() -> None:
    assert exams(EXAM).rows == (
        Exam(
            "23812",
            "exam title",
            available=True,
            takings=3918,
            url="https://ks.example/23812",
            category="category name",
            created_at=1539075828,
        ),
    )


def test_the_documented_row_is_read() -> None:
    page = results(ROW)
    assert (page.rows, page.row_count, page.unreadable) == ((ATTEMPT,), 1, ())


def test_numbers_as_text_read_the_same() -> None:
    assert results({name: str(value) for name, value in ROW.items()}).rows == (ATTEMPT,)
    assert exams({name: str(value) for name, value in EXAM.items()}).rows == exams(EXAM).rows


@pytest.mark.parametrize("sid", [19382, "19382", " 19382\n", 19382.0])
def test_one_candidate_has_one_id_however_it_is_written(sid: object) -> None:
    assert attempt(sid=sid).candidate_id == "19382"


@pytest.mark.parametrize("score", ["30.50", 30.5, "30.5", 30.50000000000001])
def test_one_score_is_one_value_however_it_is_written(score: object) -> None:
    points = attempt(score=score).score_points
    assert points == Decimal("30.5")
    assert str(points) == "30.5"


def test_round_scores_stay_plain_numbers() -> None:
    assert [str(attempt(score=score).score_points) for score in (100, "100.00", 1e2, 0, -2.0)] == [
        "100", "100", "100", "0", "-2",
    ]  # fmt: skip


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_absent_score_and_name_are_none(nothing: object) -> None:
    found = attempt(score=nothing, name=nothing)
    assert (found.score_points, found.candidate_name) == (None, None)


@pytest.mark.parametrize("nothing", [None, "", 0, "0", 0.0])
def test_an_attempt_that_runs_has_no_end(nothing: object) -> None:
    assert attempt(endTime=nothing, status=0).ended_at is None


def test_the_least_a_row_needs_is_candidate_start_and_status() -> None:
    assert results({"sid": 1, "startTime": 1539075728, "status": 0}).rows == (Attempt("1", 1539075728, 0),)


@pytest.mark.parametrize(
    ("given_as", "passed"),
    [(1, True), ("1", True), (True, True), ("true", True), (0, False), ("0", False), (False, False), ("False", False),
     (None, None), ("", None), ("maybe", None), (2, None), ([], None)],
)  # fmt: skip
def test_passed_is_read_in_any_spelling(given_as: object, passed: object) -> None:
    assert attempt(passed=given_as).passed is passed


def test_an_exam_that_does_not_say_is_available() -> None:
    shown = [exams({**EXAM, "available": value}).rows[0].available for value in (0, "0", False, "false", None, "yes")]
    assert shown == [False, False, False, False, True, True]
    assert exams({"eid": 1}).rows == (Exam("1", "", available=True, takings=None, availability_known=False),)


def test_whether_an_exam_said_that_it_is_available_is_known() -> None:
    shown = [exams({**EXAM, "available": value}).rows[0].availability_known for value in (0, "1", True, None, "yes")]
    assert shown == [True, True, True, False, False]


def test_a_time_of_making_that_makes_no_sense_is_absent() -> None:
    shown = [exams({**EXAM, "createTime": value}).rows[0].created_at for value in ("1539075828", 0, "now", -5, None)]
    assert shown == [1539075828, None, None, None, None]


def test_takings_that_make_no_sense_are_absent() -> None:
    assert [exams({**EXAM, "times": value}).rows[0].takings for value in ("12", -1, "many", 10**30)] == [
        12, None, None, None,
    ]  # fmt: skip


def test_a_status_nobody_documents_is_passed_on() -> None:
    assert attempt(status="9").status_code == 9


def test_rows_without_status_are_marked() -> None:
    page = results(without(ROW, "status"), {**ROW, "status": ""}, ROW)
    assert [row.status_code for row in page.rows] == [NO_STATUS, NO_STATUS, 1]
    assert page.row_count == 3


def test_an_answer_about_one_candidate_need_not_name_the_candidate() -> None:
    page = results(without(ROW, "sid", "name"), {**ROW, "sid": 7}, candidate_id="19382")
    assert [row.candidate_id for row in page.rows] == ["19382", "7"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sid": None}, "sid is missing"),
        ({"sid": ""}, "sid is no id"),
        ({"sid": {"a": 1}}, "sid is no id"),
        ({"sid": True}, "sid is no id"),
        ({"sid": 10**400}, "sid is no id"),
        ({"sid": "x" * 1000}, "sid is no id"),
        ({"sid": "\ud83d"}, "sid is no id"),
        ({"startTime": None}, "startTime is missing"),
        ({"startTime": 0}, "startTime is missing"),
        ({"startTime": 1539075728000}, "startTime is no time"),
        ({"startTime": -5}, "startTime is no time"),
        ({"startTime": "2018-10-09"}, "startTime is no whole number"),
        ({"startTime": 1539075728.5}, "startTime is no whole number"),
        ({"endTime": "soon"}, "endTime is no whole number"),
        ({"endTime": 10**300}, "endTime is no whole number"),
        ({"score": float("nan")}, "score is no number"),
        ({"score": float("-inf")}, "score is no number"),
        ({"score": "A+"}, "score is no number"),
        ({"score": 10**40}, "score is no number"),
        ({"score": True}, "score is no number"),
        ({"score": []}, "score is no number"),
        ({"status": "done"}, "status is no whole number"),
        ({"status": True}, "status is no whole number"),
        ({"status": -1}, "status is no status"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_understood_is_skipped_with_its_reason(fields: dict[str, object], reason: str) -> None:
    page = results(ROW, {**ROW, **fields}, ROW)
    assert page.unreadable == (UnreadableRow(1, reason),)
    assert (len(page.rows), page.row_count) == (2, 3)


def test_rows_that_are_no_records_are_counted() -> None:
    page = parse_results(b'[null, 3, "x", [], ' + json.dumps(ROW).encode() + b"]")
    assert (len(page.rows), page.row_count, len(page.unreadable)) == (1, 5, 4)
    assert len(exams({"title": "no id"}).unreadable) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"data": [ROW], "status": "ok"},
        {"data": [ROW], "total": 1, "status": "ok", "error": ""},
        {"data": {"0": ROW}},
        {"3": ROW},
    ],
)
def test_wrapped_rows_are_read(body: object) -> None:
    assert parse_results(json.dumps(body).encode()).rows == (ATTEMPT,)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"status": "error", "error": "code error"}, "code error"),
        ({"status": "error", "data": []}, ""),
        ({"error": "no such exam"}, "no such exam"),
        ({"code": 401, "msg": "denied"}, "denied"),
    ],
)
def test_an_error_object_is_told(body: object, said: str) -> None:
    for parse in (parse_exams, parse_results):
        with pytest.raises(ErrorAnswer) as caught:
            parse(json.dumps(body).encode())
        assert caught.value.said == said
        assert not said or said not in str(caught.value)


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": "x"}, {"eid": 1}])
def test_an_object_that_is_no_list_is_malformed(body: object) -> None:
    with pytest.raises(ProviderMalformed):
        parse_results(json.dumps(body).encode())


def test_text_can_always_be_written_as_utf8() -> None:
    found = attempt(name="Ada \ud83d", viewResult="https://ks.example/\udfff")
    assert found.candidate_name == "Ada ?"
    assert (found.result_url or "").encode()


def test_only_web_addresses_are_links() -> None:
    assert attempt(viewResult="javascript:alert(1)").result_url is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
rows = st.dictionaries(st.sampled_from([*ROW, *EXAM, "passed", "tid"]), json_values)


@given(st.lists(rows | json_values, max_size=4))
def test_any_rows_are_read_or_counted(values: list[object]) -> None:
    """Every row ends up in exactly one place, and what was read can be stored."""
    page = results(*values)
    assert page.row_count == len(values) == len(page.rows) + len(page.unreadable)
    for row in page.rows:
        assert row.candidate_id.encode()
        assert row.score_points is None or row.score_points.is_finite()
    listing = exams(*values)
    assert listing.row_count == len(values) == len(listing.rows) + len(listing.unreadable)


@given(st.binary(max_size=200))
def test_any_body_gives_a_page_or_a_typed_error(body: bytes) -> None:
    for parse in (parse_exams, parse_results):
        try:
            page = parse(body)
        except (ProviderMalformed, ErrorAnswer):
            continue
        assert page.row_count >= len(page.rows)
