"""The reader finds the JSON in any output of a PHP server, and never invents it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from examhook.provider.errors import ProviderMalformed
from examhook.provider.headers import charset
from examhook.provider.json_text import json_in

ROWS = b'[{"eid": 1, "title": "A [1] {x}"}, {"eid": "2"}]'
FOUND = [{"eid": 1, "title": "A [1] {x}"}, {"eid": "2"}]
NOTICE = b"<br />\n<b>Notice</b>:  Undefined index [limit] in <b>/x/api.php</b> on line <b>[98]</b><br />\n"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(ROWS, id="plain"),
        pytest.param(b" \r\n" + ROWS + b"\n\x00", id="blanks"),
        pytest.param(b"\xef\xbb\xbf" + ROWS, id="bom"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbf" + ROWS, id="two-boms"),
        pytest.param("\ufeff".encode("utf-16-le") + ROWS.decode().encode("utf-16-le"), id="utf-16"),
        pytest.param(NOTICE + ROWS, id="notice"),
        pytest.param(b"\xef\xbb\xbf" + NOTICE * 3 + b"\xef\xbb\xbf" + ROWS, id="bom-notices-bom"),
        pytest.param(
            b"[0] is deprecated, {} as well, #0 {main} [{closure}]\n" + ROWS, id="notice-that-looks-like-json"
        ),
        pytest.param(ROWS + b"<!-- 0.03 s -->", id="trailing-comment"),
        pytest.param(NOTICE + ROWS + NOTICE, id="notices-around"),
    ],
)
def test_rows_are_found(body: bytes) -> None:
    assert json_in(body) == FOUND


@pytest.mark.parametrize("body", [b"[]", b"  [ ]\n", NOTICE + b"[]", b"\xef\xbb\xbf[]"])
def test_an_empty_list_is_found(body: bytes) -> None:
    assert json_in(body) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"404 page not found",
        b'"[]"',
        b"<html><body>Down for maintenance []</body></html>",
        b'<!DOCTYPE html><html><script>var rows = [{"eid": 1}];</script>\n[]',
        b'<br />\n<html><script>var rows = [{"eid": 1}]</script>',
        b"Fatal error: cannot use [] for reading",
        b"[0] is no answer",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_invalid_text_is_malformed(body: bytes) -> None:
    with pytest.raises(ProviderMalformed):
        json_in(body)


@pytest.mark.parametrize("before", [b"", NOTICE], ids=["plain", "after-notice"])
def test_a_truncated_list_is_malformed_wherever_it_is_cut(before: bytes) -> None:
    """No part of a truncated list counts as a list: no record, and no list inside a record."""
    rows = [{"eid": 1, "tags": [{"eid": 9}], "data": [], "more": {"data": [{"eid": 8}]}}, {"eid": 2}]
    body = json.dumps(rows).encode()
    for length in range(len(body)):
        with pytest.raises(ProviderMalformed):
            json_in(before + body[:length])


def test_numbers_keep_every_digit() -> None:
    assert json_in(b'[{"score": 33.30, "endTime": 1.5e3}]') == [{"score": Decimal("33.30"), "endTime": Decimal(1500)}]


@pytest.mark.parametrize(
    "huge", [b"9" * 5000, b"-" + b"9" * 5000, b"1e99999999999999999999", b"-1E-99999999999999999999", b"1e999999999"]
)
def test_a_huge_number_costs_only_its_own_field(huge: bytes) -> None:
    (first, second) = json_in(b'[{"score": ' + huge + b', "sid": 1745678901234567890}, {"sid": 7.5}]')
    assert isinstance(first, dict)
    assert isinstance(first["score"], Decimal)
    assert first["sid"] == 1745678901234567890
    assert second == {"sid": Decimal("7.5")}


def test_the_error_message_never_contains_the_body() -> None:
    with pytest.raises(ProviderMalformed) as caught:
        json_in(b'[{"name": "Ada Lovelace", "viewResult": "https')
    assert "Ada" not in repr(caught.value)
    assert caught.value.__context__ is None


CHINESE = '[{"name": "王小明 龙"}]'


@pytest.mark.parametrize(
    ("codec", "charset"),
    [("gbk", "gbk"), ("gbk", "gb2312"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("gbk", "x-gbk"), ("gbk", "cp936")],
)
def test_a_body_in_the_stated_character_set_is_read(codec: str, charset: str) -> None:
    assert json_in(CHINESE.encode(codec), charset) == [{"name": "王小明 龙"}]


@pytest.mark.parametrize("charset", ["gbk", "iso-8859-1", "utf-8", "nonsense", "unicode_escape", "hex", "", None])
def test_a_body_in_utf_8_is_read_whatever_is_stated(charset: str | None) -> None:
    assert json_in(CHINESE.encode(), charset) == [{"name": "王小明 龙"}]


@pytest.mark.parametrize(
    "charset", ["nonsense", "unicode_escape", "punycode", "hex", "zip", "undefined", "utf-8", None]
)
def test_an_unknown_character_set_costs_characters_but_no_rows(charset: str | None) -> None:
    (row,) = json_in(b'[{"name": "Zo\xeb", "sid": 7}]', charset)
    assert row == {"name": "Zo\ufffd", "sid": 7}


def test_western_text_is_read_in_the_stated_character_set() -> None:
    assert json_in(b'[{"name": "Zo\xeb \x80"}]', "iso-8859-1") == [{"name": "Zoë €"}]


@pytest.mark.parametrize(
    ("content_type", "named"),
    [
        ("text/html; charset=GBK", "gbk"),
        ('application/json;charset="gb2312"', "gb2312"),
        ("text/plain; x=y; Charset = 'UTF-8'", "utf-8"),
        ("application/json", None),
        ("charset=gbk", None),
        ("text/html; charset=", None),
        ("", None),
    ],
)
def test_the_character_set_is_read_from_the_content_type(content_type: str, named: str | None) -> None:
    assert charset({"Content-Type": content_type}) == named


@given(st.binary(max_size=300), st.sampled_from(["gbk", "big5", "shift_jis", "euc-kr", "windows-1251", "x"]))
def test_any_bytes_in_any_character_set_give_a_value_or_malformed(body: bytes, named: str) -> None:
    try:
        found = json_in(body, named)
    except ProviderMalformed:
        return
    assert isinstance(found, list | dict)


@given(st.binary(max_size=300))
@example(b'[{"a": 1e99999999999999999999}]')
@example(b'[{"a": NaN, "b": -Infinity}]')
@example(b'[{"a": "\\ud83d"}]')
def test_any_bytes_give_a_value_or_malformed(body: bytes) -> None:
    try:
        found = json_in(body)
    except ProviderMalformed:
        return
    assert isinstance(found, list | dict)
