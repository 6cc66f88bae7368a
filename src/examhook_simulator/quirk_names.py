"""Names of the quirks, and of the two tasks of the API that they change."""

from __future__ import annotations

from enum import StrEnum

EXAMS, RESULTS = "api.getExams", "api.queryResults"
"""The two tasks of the API, as requests name them."""


class Quirk(StrEnum):
    """Everything that can be odd about an answer."""

    # Which rows a page holds
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
    # What the rows show
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
    # What time it is
    DATE = "date"
    ROW_CLOCK = "row_clock"
    # What comes instead of rows
    ERROR_OBJECT = "error_object"
    ERROR_BESIDE_LIST = "error_beside_list"
    THROTTLE_TEXT = "throttle_text"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    HTML_PAGE = "html_page"
    # How the body is written
    RAW_UNICODE = "raw_unicode"
    CHARSET = "charset"
    BOM = "bom"
    PHP_NOTICES = "php_notices"
    EMPTY_BODY = "empty_body"
    CUT_BODY = "cut_body"
    GZIP_BOMB = "gzip_bomb"
    # What the connection does
    CUT_CONNECTION = "cut_connection"
    INTERIM = "interim"
    RESET = "reset"
    SLOW = "slow"
    HANG = "hang"
