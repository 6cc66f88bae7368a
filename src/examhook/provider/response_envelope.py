"""Finds the rows in an answer that is an object, or the error that the object states.

The documented answers are a bare list (``legacy``) and ``{"data": […], "status": "ok"}`` (``v1``). Similar servers also
state errors next to an empty list, in many spellings. An error must never be read as "no rows", and rows next to an
error are not read::

    the object states                            with rows   without rows
    failure (``success``, ``ok``, ``status``)    error       error
    an error code, or a non-empty ``error``      error ¹     error
    only a message                               read        error ¹ ²
    success (``success``, ``ok``, ``status``)    read        no rows
    none of these                                read        no rows if ``data`` is a list

    ¹ not an error if the object also states success   ² not an error if the message is "ok" or "no data"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum, auto

from examhook.provider.fields import MAX_TEXT_CHARACTERS
from examhook.provider.json_text import JsonObject, JsonValue

_STATUS_FLAGS = frozenset({"success", "succeeded", "issuccess", "ok", "status", "state", "result"})
_CODES = frozenset({"code", "errcode", "errno", "errorcode", "statuscode", "retcode", "ret", "resultcode"})
_ERRORS = frozenset(
    {"error", "errors", "err", "errmsg", "errormsg", "errormessage", "errordescription", "errorinfo", "exception"}
)
_MESSAGES = frozenset({"message", "msg", "info", "reason", "detail", "description", "retmsg", "resultmsg"})
_WRAPPERS = frozenset({"data", "meta", "response", "header", "head", "body"})
_NESTED = _STATUS_FLAGS | _CODES | _ERRORS | _MESSAGES | _WRAPPERS
_MAX_DEPTH = 4
_MAX_FIELDS = 100
"""An object with more fields is a list with row numbers as keys, or unreadable."""

_SUCCESS = frozenset({"ok", "success", "succeed", "succeeded", "successful", "true", "yes", "200", "1"})
_FAILURE = frozenset({"error", "fail", "failed", "failure", "false", "no"})
_AMBIGUOUS_FLAGS = frozenset({"state", "result"})
"""Fields that may contain anything; only words of success or failure count."""
_NO_ERROR = frozenset({"", "0", "false", "no", "none", "null", "ok", "success", "no error"})
_ERROR_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_NO_ERROR_CODE = re.compile(r"0*|2[0-9]{2}|ok|success|true|none|null", re.ASCII)
_BENIGN = re.compile(
    r"\b(?<!not )(?:ok(?:ay)?|success(?:ful(?:ly)?)?|succeed(?:ed)?|done|completed?)\b"
    r"|\b(?:no|0|zero) (?:\w+ )?(?:data|records?|results?|rows?|exams?|entries)\b"
    r"|(?<![不未])成功|(?:暂无|没有|无)(?:相关|考试|任何)?(?:数据|记录|结果|成绩|考试)|(?:数据|结果|记录)为空",
    re.IGNORECASE,
)


class ErrorAnswer(Exception):  # noqa: N818 - an answer, not a failure of ours
    """The provider answered with an error object."""

    def __init__(self, text: str, code: int | None = None) -> None:
        super().__init__("the provider answered with an error object")
        self.text = text
        """The object's error text, which may repeat parts of the request."""
        self.code = code
        """The object's numeric error code; None if it has none."""


class _Statement(Enum):
    """Meaning of one field of the object."""

    SUCCESS = auto()
    FAILURE = auto()
    ERROR = auto()
    MESSAGE = auto()


def rows_in(answer: JsonObject) -> list[JsonValue] | None:
    """Return the rows in ``answer``, None if it contains no list; raises ErrorAnswer if it states an error."""
    if len(answer) > _MAX_FIELDS:
        return _list_in(answer)
    data = answer.get("data")
    rows = _list_in(answer if data is None else data)
    statements = set(_statements(answer, 0))
    if _is_error(statements, has_rows=bool(rows)):
        raise ErrorAnswer(_error_text(answer), _error_code(answer, 0))
    if rows is None and "data" in answer and not data and _Statement.SUCCESS in statements:
        return []
    return rows


def _list_in(value: JsonValue) -> list[JsonValue] | None:
    """Return a list, or the values of an object with row numbers as keys: PHP writes lists with gaps like that."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and value and all(key.isdecimal() for key in value):
        return list(value.values())
    return None


def _is_error(statements: set[_Statement], *, has_rows: bool) -> bool:
    if _Statement.FAILURE in statements:
        return True
    succeeded = _Statement.SUCCESS in statements
    if _Statement.ERROR in statements:
        return not (succeeded and has_rows)
    return _Statement.MESSAGE in statements and not has_rows and not succeeded


def _statements(answer: JsonObject, depth: int) -> Iterator[_Statement]:
    """Yield the statements of ``answer`` and of its envelope objects, but not of rows."""
    for key, value in answer.items():
        name = _name(key)
        if isinstance(value, dict) and name in _NESTED and depth < _MAX_DEPTH and len(value) <= _MAX_FIELDS:
            yield from _statements(value, depth + 1)
        statement = _statement(name, value, depth)
        if statement is not None:
            yield statement


def _statement(name: str, value: JsonValue, depth: int) -> _Statement | None:
    if name in _ERRORS:
        return _Statement.ERROR if _holds_error(value, depth) else None
    word = _word(value)
    if word is None:
        return None
    if name in _STATUS_FLAGS:
        return _flag_statement(name, word)
    if name in _CODES:
        return None if _NO_ERROR_CODE.fullmatch(word) else _Statement.ERROR
    return _Statement.MESSAGE if name in _MESSAGES and not _BENIGN.search(word) and word not in _NO_ERROR else None


def _flag_statement(name: str, word: str) -> _Statement | None:
    if word in _SUCCESS:
        return _Statement.SUCCESS
    if not word or (name in _AMBIGUOUS_FLAGS and word not in _FAILURE):
        return None
    # Both conventions exist: status 0 means success on some servers and failure on others.
    return _Statement.MESSAGE if word == "0" and name == "status" else _Statement.FAILURE


def _holds_error(value: JsonValue, depth: int) -> bool:
    """Return whether a field such as ``error`` contains more than "no error"."""
    if isinstance(value, dict | list):
        nested = value.values() if isinstance(value, dict) else value
        return depth >= _MAX_DEPTH or any(_holds_error(each, depth + 1) for each in nested)
    word = _word(value)
    return word is not None and word not in _NO_ERROR


def _word(value: JsonValue) -> str | None:
    """Return a flag, number or text in lower case; None for null, objects and lists."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, str):
        return value[:MAX_TEXT_CHARACTERS].strip().lower()
    # Conversion of a number with thousands of digits is slow, and such a number is not a code.
    return str(value).lower() if isinstance(value, bool | Decimal) or abs(value) < 10**18 else "?"


def _error_text(answer: JsonObject) -> str:
    """Return the first text that describes the error; empty if there is none."""
    for names in (_ERRORS, _MESSAGES, _NESTED):
        for key, value in answer.items():
            if _name(key) in names and (found := next(_texts(value, 0, nested_only=names is _NESTED), None)):
                return found
    return ""


def _texts(value: JsonValue, depth: int, *, nested_only: bool) -> Iterator[str]:
    """Yield the texts in ``value`` except numbers and words such as "false"; optionally only those inside objects."""
    match value:
        case str() if not nested_only and _is_text(value):
            yield value[:MAX_TEXT_CHARACTERS].strip()
        case dict() if depth < _MAX_DEPTH:
            messages = [each for key, each in value.items() if _name(key) in _ERRORS | _MESSAGES]
            yield from _all_texts(messages or value.values(), depth + 1, nested_only=False)
        case list() if depth < _MAX_DEPTH:
            yield from _all_texts(value, depth + 1, nested_only=nested_only)


def _all_texts(values: Iterable[JsonValue], depth: int, *, nested_only: bool) -> Iterator[str]:
    for each in values:
        yield from _texts(each, depth, nested_only=nested_only)


def _is_text(value: str) -> bool:
    trimmed = value[:MAX_TEXT_CHARACTERS].strip()
    return trimmed.lower() not in _NO_ERROR and not trimmed.isdecimal()


def _error_code(answer: JsonObject, depth: int) -> int | None:
    """Return the first numeric error code."""
    for key, value in answer.items():
        name = _name(key)
        if isinstance(value, dict) and name in _NESTED and depth < _MAX_DEPTH:
            found = _error_code(value, depth + 1)
            if found is not None:
                return found
        if (name in _CODES or name in {"status", "error"}) and _ERROR_NUMBER.fullmatch(word := _word(value) or ""):
            return int(word)
    return None


def _name(key: str) -> str:
    """Return the same name for errCode, err_code and ERRCODE."""
    return key.lower().replace("_", "").replace("-", "")
