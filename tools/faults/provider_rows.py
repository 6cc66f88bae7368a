"""Rows of the fault matrix about the provider: what its answers look like, and what is missing from them."""

from __future__ import annotations

from examhook.model import Status
from examhook_simulator.facts import RowOrder
from examhook_simulator.quirks import EXAMS, RESULTS
from examhook_simulator.traits import ERROR_FIELDS
from tools.faults.row import Row
from tools.faults.scenarios import Act, nothing
from tools.faults.stack import Stage

_CROWD = 30
"""Enough rows for several pages, where pages are short."""
_BIG_ID = 123_456_789_012_345_678
"""More than a double can hold, and less than the ids that the quirk `big_ids` makes of others."""


def _quirks(*switches: str, task: str | None = None) -> Act:
    def begin(stage: Stage) -> None:
        for switch in switches:
            stage.simulator.control.quirk_on(switch, task=task)

    return begin


def _touched(stage: Stage) -> int:
    return sum(bool(record.quirks) for record in stage.simulator.control.requests())


def _row(
    fault: str,
    *switches: str,
    task: str | None = None,
    crowd: int = 0,
    prepare: Act = nothing,
    meanwhile: Act = nothing,
) -> Row:
    begin = _quirks(*switches, task=task)
    hits = _touched if switches else None
    return Row("Provider", fault, begin, meanwhile, hits=hits, prepare=prepare, crowd=crowd)


def _big_ids(stage: Stage) -> None:
    stage.world.number_from(_BIG_ID)


def _record_ids(stage: Stage) -> None:
    """Rows have record ids, and every row was read with them."""
    stage.simulator.control.quirk_on("tid_and_passed")
    stage.full_poll()


def _status_changes(stage: Stage) -> None:
    """An attempt that ended is ended in another way; its score and its end stay. A full poll is asked for."""
    newest = max(stage.world.exams(), key=lambda exam: exam.created_at)
    submitted = next(row for row in stage.world.truth(str(newest.exam_id)) if row.status == Status.SUBMITTED)
    stage.world.advance(5)
    stage.world.change_status(submitted.ref, Status.FORCED)
    stage.full_poll()


_TRANSPORT = (
    _row("HTTP 500, every other answer", "server_error@0.5"),
    _row("HTTP 429 with Retry-After", "throttled=1@next2"),
    _row("a web page instead of data, every other answer", "html_page@0.5"),
    _row("an error object, once", "error_object@next1"),
    _row("no body, every other answer", "empty_body@0.5"),
    _row("the body is cut, every other answer", "cut_body@0.5"),
    _row("the connection ends in the body, every other answer", "cut_connection@0.5"),
    _row("the connection is reset, every other answer", "reset@0.5"),
    _row("three seconds late", "slow=3@next3"),
    _row("no answer at all, once", "hang=30@next1"),
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
        _row(f"an error in `{name}` beside an empty list, as every answer", f"error_beside_list={name}")
        for name in ERROR_FIELDS
    ),
    _row(
        "an error in `message` beside an empty list, for every other results request",
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
    _row("rows in another order at every request", f"row_order={RowOrder.SHUFFLED}"),
    _row("pages of two rows, whatever is asked for", "limit_cap=2"),
    _row("start is ignored", "ignore_start"),
    _row("each page has a length of its own, exam list and results", "uneven_pages=3", crowd=_CROWD),
    _row(
        "pages of 10, oldest first, and 3 rows of each list are hidden",
        "limit_cap=10",
        "hidden_rows=3",
        f"row_order={RowOrder.OLDEST}",
        crowd=_CROWD,
    ),
    _row("a fifth of all rows is hidden, pages of 10", "limit_cap=10", "hidden_rows=0.2", crowd=_CROWD),
    _row("every page lacks its second half", "half_page", crowd=_CROWD),
    _row("the exam list has pages of one", "exam_list_cap=1"),
    _row(
        "rows of one start time in an order that depends on the request, pages of 10",
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
    _row("a row that makes no sense in each answer", "unreadable_row"),
    _row("every number is text", "numbers_as_strings"),
    _row("scores, end times and start times in odd forms", "odd_fields=1"),
    _row("ids of exams and candidates beyond 2^53", prepare=_big_ids),
    _row("rows without status", "no_status_in_lists"),
    _row("rows without status, and a status that changes alone", "no_status_in_lists", meanwhile=_status_changes),
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
        ("stands still", "stuck"),
        ("is three hours ahead", "+10800"),
        ("is three hours behind", "-10800"),
        ("is three hours ahead in every other answer", "two_servers"),
    )
)

PROVIDER_ROWS = (*_TRANSPORT, *_ERRORS, *_LISTS, *_FIELDS, *_DATES)
