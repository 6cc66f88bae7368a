"""Every quirk, what it does, and which values its switch accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from examhook_simulator.facts import ListOrder

EXAMS, RESULTS = "api.getExams", "api.queryResults"
"""Tasks of the legacy API, as requests name them."""


class Quirk(StrEnum):
    """Name of a quirk."""

    # Rows of a page
    LIMIT_CAP = "limit_cap"
    EXAM_LIST_CAP = "exam_list_cap"
    RESULTS_CAP = "results_cap"
    UNEVEN_PAGES = "uneven_pages"
    HALF_PAGE = "half_page"
    HIDDEN_ROWS = "hidden_rows"
    IGNORE_START = "ignore_start"
    ROW_ORDER = "row_order"
    TIES_BY_REQUEST = "ties_by_request"
    FOREIGN_ROWS = "foreign_rows"
    ROWS_LAG = "rows_lag"
    STALE_REPLICA = "stale_replica"
    EMPTY_LIST = "empty_list"
    # Fields of rows
    COUNT = "count"
    NUMBERS_AS_STRINGS = "numbers_as_strings"
    ABSENT_FIELDS = "absent_fields"
    NO_STATUS_IN_LISTS = "no_status_in_lists"
    BARE_CANDIDATE = "bare_candidate"
    TID_AND_PASSED = "tid_and_passed"
    CORRECTED_START = "corrected_start"
    ODD_FIELDS = "odd_fields"
    BIG_IDS = "big_ids"
    UNREADABLE_ROW = "unreadable_row"
    # Clocks
    DATE = "date"
    ROW_CLOCK = "row_clock"
    # Errors instead of rows
    ERROR_OBJECT = "error_object"
    ERROR_BESIDE_LIST = "error_beside_list"
    THROTTLE_TEXT = "throttle_text"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    HTML_PAGE = "html_page"
    # Body
    RAW_UNICODE = "raw_unicode"
    CHARSET = "charset"
    BOM = "bom"
    PHP_NOTICES = "php_notices"
    EMPTY_BODY = "empty_body"
    CUT_BODY = "cut_body"
    GZIP_BOMB = "gzip_bomb"
    # Connection
    CUT_CONNECTION = "cut_connection"
    INTERIM = "interim"
    RESET = "reset"
    SLOW = "slow"
    HANG = "hang"


ROW_FIELDS = frozenset({"viewResult", "score", "startTime", "endTime", "status", "sid", "name", "tid", "passed"})

ERROR_FIELDS = ("message", "code", "errcode", "status", "msg", "errmsg")
"""Fields that mark an error in an answer with an empty list."""

_SHIFT = r"[+-]?\d{1,9}"


def _number(least: float, most: float) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            return least <= float(value) <= most
        except ValueError:
            return False

    return check


def _whole(least: int, most: int) -> Callable[[str], bool]:
    return lambda value: value.isdecimal() and least <= int(value) <= most


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value, re.ASCII) is not None


def _one_of(*values: str) -> Callable[[str], bool]:
    return lambda value: value in values


@dataclass(frozen=True, slots=True)
class Trait:
    """Effect of a quirk and the values of its switch."""

    effect: str
    value: str = ""
    """Default value; empty for a quirk without a value."""
    accepts: Callable[[str], bool] = lambda value: not value
    task: str | None = None
    """The only task that the quirk affects; None for all."""


TRAITS: Mapping[Quirk, Trait] = {
    Quirk.LIMIT_CAP: Trait("`limit` is silently lowered to this, for both lists", "10", _whole(1, 100_000)),
    Quirk.EXAM_LIST_CAP: Trait("the same for the exam list only", "10", _whole(1, 100_000), EXAMS),
    Quirk.RESULTS_CAP: Trait("the same for results only", "10", _whole(1, 100_000), RESULTS),
    Quirk.UNEVEN_PAGES: Trait(
        "each page has a random length from 1 to `limit`; the value is the seed, and the same request always gives "
        "the same length",
        "1",
        _whole(0, 10**9),
    ),
    Quirk.HALF_PAGE: Trait("a page lacks the second half of its rows"),
    Quirk.HIDDEN_ROWS: Trait(
        "rows are hidden after `limit` is applied, so pages are short in the middle: a number of the rows that each "
        "list holds at switch-on, or a share of all rows (`0.1`); `3:7` means three rows by seed 7",
        "1",
        _like(r"([1-9]\d{0,5}|0\.\d{0,5}[1-9])(:\d{1,9})?"),
    ),
    Quirk.IGNORE_START: Trait("`start` is ignored: every page is the first"),
    Quirk.ROW_ORDER: Trait(
        "rows come `newest`, `oldest`, by `candidate`, or `shuffled` in every answer (without the quirk: newest)",
        ListOrder.SHUFFLED,
        lambda value: value in set(ListOrder),
        RESULTS,
    ),
    Quirk.TIES_BY_REQUEST: Trait(
        "rows of equal sort value come in another order for each `start` and `limit`; the same request always gives "
        "the same order"
    ),
    Quirk.FOREIGN_ROWS: Trait(
        "rows carry `eid`, and the results of one exam also hold this number of rows of another exam",
        "2",
        _whole(1, 1000),
        RESULTS,
    ),
    Quirk.ROWS_LAG: Trait(
        "rows are listed this many seconds after the attempt starts; `times` and `total` count them at once",
        "90",
        _whole(1, 10**9),
        RESULTS,
    ),
    Quirk.STALE_REPLICA: Trait("the answer shows everything as it was this many seconds ago", "60", _whole(1, 10**9)),
    Quirk.EMPTY_LIST: Trait("an empty list"),
    Quirk.COUNT: Trait(
        "`times` and `total` are `stuck` at their value at switch-on, `lagging` 120 seconds (or `lagging=SECONDS`) "
        "behind, or `lies` (another wrong number every five minutes)",
        "stuck",
        _like(r"stuck|lies|lagging(=\d{1,9})?"),
    ),
    Quirk.NUMBERS_AS_STRINGS: Trait("every number is a string"),
    Quirk.ABSENT_FIELDS: Trait(
        "rows lack these fields (names separated by commas)",
        "name,passed,endTime",
        lambda value: ROW_FIELDS.issuperset(value.split(",")),
        RESULTS,
    ),
    Quirk.NO_STATUS_IN_LISTS: Trait("rows have a `status` only when one candidate is requested", task=RESULTS),
    Quirk.BARE_CANDIDATE: Trait("rows have no `sid` and `name` when one candidate is requested", task=RESULTS),
    Quirk.TID_AND_PASSED: Trait("rows also have `tid` and `passed`", task=RESULTS),
    Quirk.CORRECTED_START: Trait(
        "attempts that started before switch-on show a start time this many seconds later (or earlier: `-3600`) "
        "under the same `tid`",
        "1",
        _like(_SHIFT),
        RESULTS,
    ),
    Quirk.ODD_FIELDS: Trait(
        "scores like `85,5`, `false`, `N/A`, `30/100`, `85%`; end times like `false`, `-62169984000`, "
        "`0000-00-00 00:00:00` or with a fraction; start time 0 for about half of the forced attempts; the value is "
        "the seed, and each row keeps its form",
        "1",
        _whole(0, 10**9),
        RESULTS,
    ),
    Quirk.BIG_IDS: Trait("ids of exams and candidates are beyond 10^18; requests may use either id"),
    Quirk.UNREADABLE_ROW: Trait("this many rows of the answer are unreadable", "1", _whole(1, 1000), RESULTS),
    Quirk.DATE: Trait(
        "the `Date` header is in `1970`, `absent`, `stuck` at the moment of switch-on, `+SECONDS` or `-SECONDS` off, "
        "or (`two_servers`) three hours ahead in every other answer",
        "absent",
        _like(r"1970|absent|stuck|two_servers|[+-]\d{1,9}"),
    ),
    Quirk.ROW_CLOCK: Trait(
        "times in rows (`startTime`, `endTime`, `createTime`) are by a clock this many seconds off",
        "+3600",
        _like(_SHIFT),
    ),
    Quirk.ERROR_OBJECT: Trait("an error object with status 200"),
    Quirk.ERROR_BESIDE_LIST: Trait(
        "an object with an empty `data` list and an error in this field: "
        + ", ".join(f"`{field}`" for field in ERROR_FIELDS),
        "message",
        _one_of(*ERROR_FIELDS),
    ),
    Quirk.THROTTLE_TEXT: Trait(
        "an error object with status 200 and this rate-limit message; `any` takes the next of ten, English and Chinese",
        "any",
        lambda value: len(value) <= 200,  # noqa: PLR2004 - longer than any message
    ),
    Quirk.THROTTLED: Trait("status 429 with this many seconds in `Retry-After`", "1", _whole(0, 86_400)),
    Quirk.SERVER_ERROR: Trait("status 500, or the one given", "500", _whole(400, 599)),
    Quirk.HTML_PAGE: Trait("an HTML error page with status 200"),
    Quirk.RAW_UNICODE: Trait("text as UTF-8 bytes instead of `\\u` escapes"),
    Quirk.CHARSET: Trait(
        "text in this encoding, named by `Content-Type`: `gbk` or `gb18030`", "gbk", _one_of("gbk", "gb18030")
    ),
    Quirk.BOM: Trait("a byte order mark before the body"),
    Quirk.PHP_NOTICES: Trait("PHP notices, with brackets in them, before the JSON"),
    Quirk.EMPTY_BODY: Trait("an empty body with status 200"),
    Quirk.CUT_BODY: Trait("the body is truncated, and `Content-Length` matches"),
    Quirk.GZIP_BOMB: Trait("a small gzip body that inflates to this many MiB of `{},`", "16", _whole(1, 256)),
    Quirk.CUT_CONNECTION: Trait("the connection ends within the body"),
    Quirk.INTERIM: Trait("an interim answer (`102` or `103`) before the answer", "103", _one_of("102", "103")),
    Quirk.RESET: Trait("the connection is reset, without an answer"),
    Quirk.SLOW: Trait("the answer comes this many seconds late", "2", _number(0, 3600)),
    Quirk.HANG: Trait("no answer; the connection ends after this many seconds", "60", _number(0, 3600)),
}
"""Every quirk; docs/simulator.md has the same table."""
