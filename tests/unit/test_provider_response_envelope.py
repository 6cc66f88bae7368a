"""An error beside an empty list is an error, and rows beside an error are not read, in both dialects."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.provider.errors import ProviderMalformed
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.port import ExamPage, RecordPage, ResultsPage
from examhook.provider.response_envelope import ErrorAnswer
from examhook.provider.v1 import parse_records

Parse = Callable[[bytes], ExamPage | ResultsPage | RecordPage]
ROW = {"eid": "5", "sid": "7", "startTime": "1639647217", "status": "1"}
SAID = "Too many requests"
PARSERS: list[Parse] = [parse_exams, parse_results, parse_records]

FAILURES: list[dict[str, object]] = [
    {"success": False},
    {"success": "false"},
    {"success": 0},
    {"ok": False},
    {"isSuccess": False},
    {"status": "error"},
    {"status": "fail"},
    {"status": "forbidden"},
    {"status": "FAILED"},
    {"status": False},
    {"status": 429},
    {"status": "500"},
    {"status": -1},
    {"result": False},
    {"result": "failed"},
    {"status": {"success": False}},
    {"meta": {"status": "error"}},
    {"response": {"success": False}},
]
"""State a failure by themselves."""

ERROR_CODES: list[dict[str, object]] = [
    {"code": 429},
    {"code": "1001"},
    {"code": "ERR_LIMIT"},
    {"errcode": 45009},
    {"errCode": -1},
    {"err_code": 7},
    {"errno": 4},
    {"error_code": "17"},
    {"ret": 3},
    {"retcode": 100},
    {"statusCode": 503},
    {"error": True},
    {"error": 1},
    {"error": SAID},
    {"error": {"code": 429}},
    {"error": {"text": "bad"}},
    {"errors": [SAID]},
    {"errors": [{"code": 4, "message": SAID}]},
    {"errmsg": SAID},
    {"errorMessage": SAID},
    {"error_description": SAID},
    {"meta": {"code": 429}},
    {"status": {"code": 500}},
    {"result": {"errcode": 45009}},
]
"""State an error."""

TEXTS = [{field: SAID} for field in ("message", "msg", "Message", "info", "reason", "detail", "retmsg")]

EMPTY: list[dict[str, object]] = [
    {"data": []},
    {"data": None},
    {"data": {}},
    {},
    {"data": ""},
    {"data": [], "total": 0},
]
SUCCESSES: list[dict[str, object]] = [
    {"success": True},
    {"status": "ok"},
    {"status": "success"},
    {"ok": 1},
    {"status": 200},
]


def errors_of(body: dict[str, object]) -> list[ErrorAnswer]:
    """The error that each parser raises; the test fails if one raises none."""
    found = []
    for parse in PARSERS:
        with pytest.raises(ErrorAnswer) as caught:
            parse(json.dumps(body).encode())
        found.append(caught.value)
    return found


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("stated", [*FAILURES, *ERROR_CODES, *TEXTS])
def test_an_error_without_rows_is_an_error(stated: dict[str, object], empty: dict[str, object]) -> None:
    errors_of({**stated, **empty})


@pytest.mark.parametrize("stated", [*FAILURES, *ERROR_CODES])
@pytest.mark.parametrize("text", [{"message": SAID}, {"msg": SAID}, {}])
def test_rows_beside_an_error_are_not_read(stated: dict[str, object], text: dict[str, object]) -> None:
    errors_of({**stated, **text, "data": [ROW]})


@pytest.mark.parametrize("success", SUCCESSES)
@pytest.mark.parametrize(
    "beside",
    [{}, {"message": "1 row"}, {"code": 0}, {"code": 200}, {"code": 1}, {"error": ""}, {"error": None}, {"errors": []},
     {"error": 0}, {"error": "quota nearly used"}, {"errno": "0", "errmsg": "ok"}],
)  # fmt: skip
def test_rows_beside_a_success_are_read(success: dict[str, object], beside: dict[str, object]) -> None:
    for parse in PARSERS:
        page = parse(json.dumps({**success, **beside, "data": [ROW], "total": 1}).encode())
        assert (page.row_count, page.unreadable) == (1, ())


@pytest.mark.parametrize("success", SUCCESSES)
@pytest.mark.parametrize("stated", ERROR_CODES)
def test_an_error_without_rows_is_an_error_even_beside_a_success(
    success: dict[str, object], stated: dict[str, object]
) -> None:
    errors_of({**success, **stated, "data": []})


@pytest.mark.parametrize("success", SUCCESSES)
@pytest.mark.parametrize("empty", [{"data": []}, {"data": None}, {"data": {}}])
@pytest.mark.parametrize("text", [{}, {"message": ""}, {"message": "Nobody took it"}, {"error": False, "code": 0}])
def test_a_success_without_rows_is_an_empty_list(
    success: dict[str, object], empty: dict[str, object], text: dict[str, object]
) -> None:
    for parse in PARSERS:
        assert parse(json.dumps({**success, **empty, **text}).encode()).row_count == 0


@pytest.mark.parametrize(
    "text",
    ["ok", "OK", "success", "Successful", "Query OK", "no data", "No records found", "No results.", "操作成功",
     "暂无数据", "没有相关记录", "查询结果为空"],
)  # fmt: skip
@pytest.mark.parametrize("code", [{"code": 0}, {"errcode": "0"}, {"code": 200}, {}])
def test_a_text_that_says_that_nothing_was_found_is_not_an_error(text: str, code: dict[str, object]) -> None:
    for parse in PARSERS:
        assert parse(json.dumps({**code, "msg": text, "data": []}).encode()).row_count == 0


@pytest.mark.parametrize(
    "text", ["Too many requests", "请求过于频繁", "no permission", "unsuccessful", "not successful", "获取不成功", "x"]
)
@pytest.mark.parametrize("code", [{"code": 0}, {"code": 200}, {"status": 0}, {}])
def test_an_ambiguous_text_is_an_error_unless_success_is_stated(text: str, code: dict[str, object]) -> None:
    errors_of({**code, "msg": text, "data": []})


def test_a_bare_list_and_a_list_without_any_statement_are_read() -> None:
    assert parse_results(b"[]").row_count == 0
    for parse in PARSERS:
        assert parse(b'{"data": []}').row_count == 0
        assert parse(json.dumps({"data": [ROW]}).encode()).row_count == 1
        assert parse(json.dumps({"data": {"3": ROW, "5": ROW}}).encode()).row_count == 2


@pytest.mark.parametrize(
    ("body", "said", "code"),
    [
        ({"status": "error", "error": "code error"}, "code error", None),
        ({"status": "error", "data": []}, "", None),
        ({"code": 401, "msg": "denied"}, "denied", 401),
        ({"success": False, "error": True, "message": "wrong"}, "wrong", None),
        ({"error": {"code": "429", "message": "wrong", "trace": "x"}, "data": []}, "wrong", 429),
        ({"errors": [{"detail": "wrong"}], "data": []}, "wrong", None),
        ({"meta": {"code": 500, "msg": "wrong"}, "data": []}, "wrong", 500),
        ({"data": {"success": False, "message": "wrong"}}, "wrong", None),
        ({"status": {"error_code": 7, "msg": "wrong"}, "data": []}, "wrong", 7),
    ],
)
def test_an_error_keeps_its_text_and_code_private(body: dict[str, object], said: str, code: int | None) -> None:
    for error in errors_of(body):
        assert (error.text, error.code) == (said, code)
        assert not said or said not in str(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "data", "status", "code", "message", "0"]) | st.text(max_size=5), inner
        )
    ),
    max_leaves=8,
)
statements = st.sampled_from([*FAILURES, *ERROR_CODES])


@given(statements, st.dictionaries(st.sampled_from(["data", "total", "info", "page", "x"]), json_values))
def test_an_error_without_a_stated_success_never_gives_a_page(
    stated: dict[str, object], beside: dict[str, object]
) -> None:
    """Only a stated success, in the answer or in its ``data``, allows rows."""
    body = {**beside, **stated}
    for parse in PARSERS:
        try:
            page = parse(json.dumps(body).encode())
        except (ErrorAnswer, ProviderMalformed):
            continue
        assert page.row_count
