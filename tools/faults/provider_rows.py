"""Rows of the fault matrix about the provider's answers."""

from __future__ import annotations

from examhook.model import Status
from examhook_simulator.facts import ListOrder
from examhook_simulator.quirk_catalogue import ERROR_FIELDS
from examhook_simulator.quirks import EXAMS, RESULTS
from tools.faults.matrix import Row
from tools.faults.scenarios import Act, nothing
from tools.faults.stack import FaultStack

_CROWD = 30
"""Enough rows for several short pages."""
_BIG_ID = 123_456_789_012_345_678
"""Too large for a double, and below the ids of the quirk `big_ids`."""


def _row(
    fault: str,
    *switches: str,
    task: str | None = None,
    crowd: int = 0,
    prepare: Act = nothing,
    meanwhile: Act = nothing,
) -> Row:
    def begin(stack: FaultStack) -> None:
        for switch in switches:
            stack.simulator.control.quirk_on(switch, task=task)

    hits = FaultStack.provider_faults if switches else None
    return Row("Provider", fault, begin, meanwhile, hits=hits, prepare=prepare, crowd=crowd)


def _big_ids(stack: FaultStack) -> None:
    stack.world.number_from(_BIG_ID)


def _record_ids(stack: FaultStack) -> None:
    """Read every row with its record id."""
    stack.simulator.control.quirk_on("tid_and_passed")
    stack.full_poll()


def _change_status(stack: FaultStack) -> None:
    """Give an ended attempt another final status with the same score and end, and run a full scan."""
    newest = max(stack.world.exams(), key=lambda exam: exam.created_at)
    submitted = next(row for row in stack.world.truth(str(newest.exam_id)) if row.status == Status.SUBMITTED)
    stack.world.advance(5)
    stack.world.change_status(submitted.ref, Status.FORCED)
    stack.full_poll()


_TRANSPORT = (
    _row("HTTP 500, every other answer", "server_error@0.5"),
    _row("HTTP 429 with Retry-After", "throttled=1@next2"),
    _row("an HTML page instead of data, every other answer", "html_page@0.5"),
    _row("an error object, once", "error_object@next1"),
    _row("no body, every other answer", "empty_body@0.5"),
    _row("the body is truncated, every other answer", "cut_body@0.5"),
    _row("the connection ends within the body, every other answer", "cut_connection@0.5"),
    _row("the connection is reset, every other answer", "reset@0.5"),
    _row("three seconds late", "slow=3@next3"),
    _row("no answer, once", "hang=30@next1"),
    _row("an interim answer (102) before each answer", "interim=102"),
    _row("an interim answer (103) before each answer", "interim=103"),
    _row("a gzip body that inflates to 16 MiB, every other answer", "gzip_bomb=16@0.5"),
    _row("PHP notices before the data", "php_notices"),
    _row("a byte order mark", "bom"),
    _row("text in GBK", "charset=gbk"),
    _row("text in GB 18030", "charset=gb18030"),
)
_ERRORS = (
    *(
        _row(f"an error in `{name}` with an empty list, every answer", f"error_beside_list={name}")
        for name in ERROR_FIELDS
    ),
    _row(
        "an error in `message` with an empty list, every other results request",
        "error_beside_list=message@0.5",
        task=RESULTS,
    ),
    _row("a rate-limit message with status 200, every other answer", "throttle_text=any@0.5"),
    _row("the results of all exams fail (HTTP 500)", "server_error", task=RESULTS),
)
_LISTS = (
    _row("an empty list, once", "empty_list@next1"),
    _row("the exam list is empty", "empty_list", task=EXAMS),
    _row("the results of all exams are empty", "empty_list", task=RESULTS),
    _row("another row order in every answer", f"row_order={ListOrder.SHUFFLED}"),
    _row("pages of two rows, whatever the limit", "limit_cap=2"),
    _row("`start` is ignored", "ignore_start"),
    _row("pages of random length, exam list and results", "uneven_pages=3", crowd=_CROWD),
    _row(
        "pages of 10, oldest first, and 3 rows of each list are hidden",
        "limit_cap=10",
        "hidden_rows=3",
        f"row_order={ListOrder.OLDEST}",
        crowd=_CROWD,
    ),
    _row("a fifth of all rows is hidden, pages of 10", "limit_cap=10", "hidden_rows=0.2", crowd=_CROWD),
    _row("every page lacks its second half", "half_page", crowd=_CROWD),
    _row("the exam list has one exam per page", "exam_list_cap=1"),
    _row(
        "the order of rows with equal start times depends on the request, pages of 10",
        "ties_by_request",
        "results_cap=10",
        crowd=_CROWD,
    ),
    _row("two rows of another exam in each answer", "foreign_rows=2"),
    _row("a replica a minute behind, every other answer", "stale_replica=60@0.5"),
    _row("rows are listed 90 seconds after the attempt starts", "rows_lag=90"),
    _row("counts do not change", "count=stuck"),
    _row("counts are wrong", "count=lies"),
)
_FIELDS = (
    _row("an unreadable row in each answer", "unreadable_row"),
    _row("every number is a string", "numbers_as_strings"),
    _row("scores, end times and start times in odd forms", "odd_fields=1"),
    _row("ids of exams and candidates beyond 2^53", prepare=_big_ids),
    _row("rows without status", "no_status_in_lists"),
    _row("rows without status, and only a status changes", "no_status_in_lists", meanwhile=_change_status),
    _row("start times a second later under the same record id", "corrected_start=1", prepare=_record_ids),
    _row(
        "start times an hour earlier under the same record id",
        "corrected_start=-3600",
        prepare=_record_ids,
    ),
)
_DATES = tuple(
    _row(f"the `Date` header {words}", f"date={value}")
    for words, value in (
        ("is absent", "absent"),
        ("says 1970", "1970"),
        ("never changes", "stuck"),
        ("is three hours ahead", "+10800"),
        ("is three hours behind", "-10800"),
        ("is three hours ahead in every other answer", "two_servers"),
    )
)

PROVIDER_ROWS = (*_TRANSPORT, *_ERRORS, *_LISTS, *_FIELDS, *_DATES)
