"""Pages of the legacy API, in every known or expected form."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.model import Attempt, Exam
from examhook.provider.errors import ProviderMalformed
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.port import NO_STATUS, ExamPage, ResultsPage, UnreadableRow
from examhook.provider.response_envelope import ErrorAnswer
from examhook.provider.rows import MAX_ROWS

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
    return parse_results(json.dumps(rows).encode(), candidate_id=candidate_id)


def attempt(**fields: object) -> Attempt:
    """The attempt of the documented row with some changed fields; the test fails if it is unreadable."""
    (found,) = results({**ROW, **fields}).rows
    return found


def test_the_documented_exam_is_read() -> None:
    assert exams(EXAM).rows == (
        Exam(
            "23812",
            "exam title",
            available=True,
            attempt_count=3918,
            url="https://ks.example/23812",
            category="category name",
        ),
    )


def test_the_documented_row_is_read() -> None:
    page = results(ROW)
    assert (page.rows, page.row_count, page.unreadable) == ((ATTEMPT,), 1, ())


def test_numbers_as_text_are_read_like_numbers() -> None:
    assert results({name: str(value) for name, value in ROW.items()}).rows == (ATTEMPT,)
    assert exams({name: str(value) for name, value in EXAM.items()}).rows == exams(EXAM).rows


@pytest.mark.parametrize("sid", [19382, "19382", " 19382\n", 19382.0])
def test_a_candidate_has_one_id_however_it_is_written(sid: object) -> None:
    assert attempt(sid=sid).candidate_id == "19382"


@pytest.mark.parametrize("score", ["30.50", 30.5, "30.5", 30.50000000000001])
def test_a_score_has_one_value_however_it_is_written(score: object) -> None:
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
def test_a_running_attempt_has_no_end(nothing: object) -> None:
    assert attempt(endTime=nothing, status=0).ended_at is None


def test_a_row_needs_only_candidate_start_and_status() -> None:
    assert results({"sid": 1, "startTime": 1539075728, "status": 0}).rows == (Attempt("1", 1539075728, 0),)


@pytest.mark.parametrize(
    ("given_as", "passed"),
    [(1, True), ("1", True), (True, True), ("true", True), (0, False), ("0", False), (False, False), ("False", False),
     (" TRUE ", True), (None, None), ("", None)],
)  # fmt: skip
def test_passed_is_read_in_any_spelling(given_as: object, passed: object) -> None:
    assert attempt(passed=given_as).passed is passed


def test_an_exam_that_does_not_state_its_availability_has_none() -> None:
    shown = [exams({**EXAM, "available": value}).rows[0].available for value in (0, "0", "false", 1, True, None, "yes")]
    assert shown == [False, False, False, True, True, None, None]
    assert exams({"eid": 1}).rows == (Exam("1", "", available=None, attempt_count=None),)


def test_counts_without_a_clear_meaning_are_absent() -> None:
    shown = [exams({**EXAM, "times": value}).rows[0].attempt_count for value in ("12", -1, "many", 10**30, False)]
    assert shown == [12, None, None, None, None]


@pytest.mark.parametrize("field", ["title", "url", "category", "available", "times", "img", "createTime"])
@pytest.mark.parametrize("value", [[], {}, "\ud83d", 1.5, False, -1, "x" * 10_000])
def test_an_exam_needs_only_its_id(field: str, value: object) -> None:
    page = exams({**EXAM, field: value})
    assert [exam.exam_id for exam in page.rows] == ["23812"]
    assert page.unreadable == ()


def test_an_exam_without_a_readable_id_is_reported() -> None:
    page = exams(EXAM, {**EXAM, "eid": None}, {**EXAM, "eid": 1.745e18}, "exam")
    assert [row.reason for row in page.unreadable] == ["eid is missing", "eid is not a valid id", "not a record"]
    assert (len(page.rows), page.row_count) == (1, 4)


def test_an_undocumented_status_is_passed_on() -> None:
    assert attempt(status="9").status_code == 9


def test_rows_without_status_are_marked() -> None:
    page = results(without(ROW, "status"), {**ROW, "status": ""}, ROW)
    assert [row.status_code for row in page.rows] == [NO_STATUS, NO_STATUS, 1]
    assert page.row_count == 3


def test_an_answer_about_one_candidate_need_not_name_the_candidate() -> None:
    page = results(without(ROW, "sid", "name"), {**ROW, "sid": ""}, {**ROW, "sid": " 19382"}, candidate_id="19382")
    assert [row.candidate_id for row in page.rows] == ["19382"] * 3


def test_rows_of_another_candidate_or_exam_are_skipped() -> None:
    body = json.dumps([ROW, {**ROW, "sid": 7}, {**ROW, "eid": 6}, {**ROW, "eid": "5"}, {**ROW, "eid": None}]).encode()
    page = parse_results(body, exam_id="5", candidate_id="19382")
    assert page.unreadable == (
        UnreadableRow(1, "sid is not the requested one"),
        UnreadableRow(2, "eid is not the requested one"),
    )
    assert len(page.rows) == 3


@pytest.mark.parametrize("number", [1745678901234567890, 10**40 + 7, 2**53 + 1, 2**63])
@pytest.mark.parametrize("spell", [int, str])
def test_ids_keep_every_digit(number: int, spell: type) -> None:
    assert [exam.exam_id for exam in exams({**EXAM, "eid": spell(number)}).rows] == [str(number)]
    found = attempt(sid=spell(number), tid=spell(number))
    assert (found.candidate_id, found.record_id) == (str(number), str(number))


@pytest.mark.parametrize("lost", [1.7456789012345679e18, "1.7456789012346E+18", "1.7456789012346E+15", "1e+18"])
def test_an_id_that_lost_digits_is_rejected(lost: object) -> None:
    """Two candidates whose ids were rounded to one number must not become one candidate."""
    assert results({**ROW, "sid": lost}).unreadable == (UnreadableRow(0, "sid is not a valid id"),)
    assert attempt(tid=lost).record_id is None


@pytest.mark.parametrize("written", ["7.0", 7.0, "12e5", "1.2.3", "3.5", "a-7"])
def test_an_id_that_looks_like_a_number_stays_an_id(written: object) -> None:
    assert attempt(sid=written).candidate_id == {"7.0": "7"}.get(str(written), written)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sid": None}, "sid is missing"),
        ({"sid": ""}, "sid is missing"),
        ({"sid": {"a": 1}}, "sid is not a valid id"),
        ({"sid": True}, "sid is not a valid id"),
        ({"sid": 10**400}, "sid is not a valid id"),
        ({"sid": "x" * 1000}, "sid is not a valid id"),
        ({"sid": "\ud83d"}, "sid is not a valid id"),
        ({"startTime": None}, "startTime is missing"),
        ({"startTime": 0}, "startTime is missing"),
        ({"startTime": False}, "startTime is missing"),
        ({"startTime": "0000-00-00 00:00:00"}, "startTime is missing"),
        ({"startTime": -62169984000}, "startTime is missing"),
        ({"startTime": 1539075728000}, "startTime is not a valid time"),
        ({"startTime": -5}, "startTime is not a valid time"),
        ({"startTime": "2018-10-09"}, "startTime is not a valid time"),
        ({"startTime": []}, "startTime is not a valid time"),
        ({"startTime": True}, "startTime is not a valid time"),
        ({"startTime": 1e300}, "startTime is not a valid time"),
        ({"status": "done"}, "status is not a whole number"),
        ({"status": True}, "status is not a whole number"),
        ({"status": 1.5}, "status is not a whole number"),
        ({"status": -1}, "status is not a valid status"),
    ],
)  # fmt: skip
def test_a_row_without_a_readable_candidate_start_or_status_is_skipped_with_its_reason(
    fields: dict[str, object], reason: str
) -> None:
    page = results(ROW, {**ROW, **fields}, ROW)
    assert page.unreadable == (UnreadableRow(1, reason),)
    assert (len(page.rows), page.row_count) == (2, 3)


UNCLEAR: dict[str, tuple[object, ...]] = {
    "score": (False, True, "N/A", "30/100", "A+", [], {}, float("nan"), float("-inf"), 10**40, "1e40", "1,234",
              "85,500", "12,34.5", "1.234.5", "1,2,3", "85,", ",5", "%", "85%%", "--", "\uff13\uff10"),
    "endTime": ("soon", 10**300, -5, 1, 1539075828000, "1539075828000", "2018-10-09 12:00:00", True, [], {}),
    "name": ([], {}, ["Tom"], True, 1.5),
    "viewResult": ("javascript:alert(1)", "/viewresult", 7, [], {}, True, "https://x.example/" + "x" * 5000),
    "passed": ("maybe", 2, -1, [], {}, 0.5, "true or false"),
    "tid": ([], {}, True, 1.7456789012345679e18, "x" * 200, "\ud83d"),
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in UNCLEAR.items() for value in values])
def test_an_unreadable_optional_field_is_none_and_counted(field: str, value: object) -> None:
    """It does not affect the submission or its other fields."""
    page = results(ROW, {**ROW, "tid": 5, "passed": 1, field: value}, {**ROW, field: value})
    plain = replace(ATTEMPT, record_id="5", passed=True)
    known = {"score": "score_points", "endTime": "ended_at", "name": "candidate_name", "viewResult": "result_url",
             "passed": "passed", "tid": "record_id"}[field]  # fmt: skip
    assert page.rows == (ATTEMPT, replace(plain, **{known: None}), replace(ATTEMPT, **{known: None}))  # type: ignore[arg-type]
    assert page.unreadable == ()
    assert page.unreadable_fields == {field: 2}


@pytest.mark.parametrize(
    ("field", "nothings"),
    [
        ("score", (None, "", "  ")),
        ("endTime", (None, "", " ", 0, "0", 0.0, "0.0", False, "false", "null", "0000-00-00", "0000-00-00 00:00:00",
                     "0000-00-00T00:00:00Z", "-0001-11-30 00:00:00", -62169984000, "-62169984000", -62170012800)),
        ("name", (None, "", False)),
        ("viewResult", (None, "", False, 0, "0")),
        ("passed", (None, "", " ")),
        ("tid", (None, "", False, 0, "0")),
    ],
)  # fmt: skip
def test_an_empty_field_is_absent_and_not_counted(field: str, nothings: tuple[object, ...]) -> None:
    page = results(*({**ROW, field: nothing} for nothing in nothings))
    assert (len(page.rows), page.unreadable_fields) == (len(nothings), {})
    for row in page.rows:
        gone = {"score": row.score_points, "endTime": row.ended_at, "name": row.candidate_name,
                "viewResult": row.result_url, "passed": row.passed, "tid": row.record_id}  # fmt: skip
        assert gone[field] is None


@pytest.mark.parametrize(
    ("score", "points"),
    [("85,5", "85.5"), ("85%", "85"), ("85,5 %", "85.5"), ("-2,25", "-2.25"), ("0,500", "0.5"),
     ("1234,567", "1234.567"), ("1.234,5", "1234.5"), ("1,234.5", "1234.5"), ("1,234.567", "1234.567"),
     ("1,234,567", "1234567"), ("1.234.567", "1234567"), ("1.234", "1.234"), ("1.234.567,8", "1234567.8")],
)  # fmt: skip
def test_scores_are_read_in_the_spellings_of_several_languages(score: str, points: str) -> None:
    assert str(attempt(score=score).score_points) == points


@pytest.mark.parametrize("written", [1539075728.25, "1539075728.5", 1539075728.999, "1539075728.", "1539075728.0"])
def test_instants_are_whole_seconds_rounded_down(written: object) -> None:
    """A server that starts to send fractions does not change the identity of an attempt."""
    page = results({**ROW, "startTime": written, "endTime": written})
    assert [(row.started_at, row.ended_at) for row in page.rows] == [(1539075728, 1539075728)]
    assert page.unreadable_fields == {}


def test_rows_that_are_not_records_are_counted() -> None:
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


def test_a_total_is_read_for_an_exam_but_not_for_one_candidate() -> None:
    body = json.dumps({"data": [ROW], "total": "40", "status": "ok"}).encode()
    assert parse_results(body).total == 40
    assert parse_results(body, candidate_id="19382").total is None
    assert results(ROW).total is None


def test_an_answer_with_too_many_rows_is_malformed() -> None:
    assert parse_results(b"[" + b"{}," * (MAX_ROWS - 1) + b"{}]").row_count == MAX_ROWS
    with pytest.raises(ProviderMalformed, match=f"more than {MAX_ROWS} rows"):
        parse_results(b"[" + b"{}," * MAX_ROWS + b"{}]")


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": "x"}, {"eid": 1}])
def test_an_object_without_a_list_is_malformed(body: object) -> None:
    with pytest.raises(ProviderMalformed):
        parse_results(json.dumps(body).encode())


def test_text_can_always_be_written_as_utf8() -> None:
    found = attempt(name="Ada \ud83d", viewResult="https://ks.example/\udfff")
    assert found.candidate_name == "Ada ?"
    assert (found.result_url or "").encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
rows = st.dictionaries(st.sampled_from([*ROW, *EXAM, "passed", "tid"]), json_values)


@given(st.lists(rows | json_values, max_size=4))
def test_any_rows_are_read_or_counted(values: list[object]) -> None:
    """Every row is either read or counted, and every read row can be stored."""
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
