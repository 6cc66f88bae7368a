"""What the simulated provider answers to one request: the page, the limit, the code and every quirk.

Order in which an answer comes about, each step able to end it:

::

    limit (429) ─▶ connection (reset, hang) ─▶ server (5xx, 429, HTML page) ─▶ code ─▶ task ─▶ rows ─▶ body
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from examhook_cli.simulator.bodies import HTML_PAGE, cut_point, damaged, error_body, rows_body, v1_body
from examhook_cli.simulator.exam_book import Row
from examhook_cli.simulator.facts import RequestRecord, RowOrder, WorldError
from examhook_cli.simulator.pace import RequestLimit
from examhook_cli.simulator.quirks import EXAMS, RESULTS, Quirk, Switchboard
from examhook_cli.simulator.result_links import ResultLinks
from examhook_cli.simulator.rows import WireRow, exam_row, result_row, with_unreadable
from examhook_cli.simulator.v1_api import MOST_ROWS, V1_RESULTS, chosen, is_signed, v1_row
from examhook_cli.simulator.world import World

DEFAULT_LIMIT = 30
"""Rows of a page where the request names no ``limit`` [provider's page]."""

_KEPT_REQUESTS = 200_000


class Fate(Enum):
    """What becomes of the connection."""

    ANSWERED = auto()
    RESET = auto()
    HUNG = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or what happens instead of one."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fate: Fate = Fate.ANSWERED
    delay_s: float = 0
    """Real seconds to wait first; for a hung connection, how long it hangs."""
    sent_bytes: int | None = None
    """So much of the body is sent before the connection ends; None: all, and the connection stays."""
    rows: int = 0
    """Rows before any damage, for the log."""
    refused: bool = False
    """Whether the account code or the signature was wrong, for the log."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request."""

    n: int
    at: int
    query: Mapping[str, str] = field(repr=False)
    task: str
    base_url: str
    signature: str | None = field(repr=False)
    """What a request to the v1 API is signed with; None for one to the legacy API."""

    @property
    def is_v1(self) -> bool:
        """Whether the v1 API is asked."""
        return self.signature is not None


class ProviderApi:
    """The two tasks of the legacy API and the one of v1 over a world, with a log of what was asked."""

    def __init__(self, world: World, code: str, limit: RequestLimit) -> None:
        self._world = world
        self._code = code
        self._rng = random.Random(f"{world.seed}/quirks")  # noqa: S311 - reproducible on purpose
        self._requests: deque[RequestRecord] = deque(maxlen=_KEPT_REQUESTS)
        self._asked = 0
        self.limit = limit
        self.quirks = Switchboard(self._rng)
        self.links = ResultLinks(world.seed)

    def requests(self, after: int = 0) -> tuple[RequestRecord, ...]:
        """The requests after number ``after``, oldest first; the last 200,000 are kept."""
        with self._world.turn():
            return tuple(record for record in self._requests if record.n > after)

    def answer(self, query: Mapping[str, str], base_url: str, elapsed_s: float, signature: str | None = None) -> Reply:
        """The answer to a request with these parameters that came at ``elapsed_s`` (real seconds).

        A request to the v1 API comes with its ``signature``, which may be empty.
        """
        with self._world.turn() as now:
            self._asked += 1
            task = query.get("task", "") if signature is None else V1_RESULTS
            asked = _Asked(self._asked, now, query, task, base_url, signature)
            if self.limit.admit(elapsed_s):
                habit = RESULTS if asked.is_v1 else asked.task
                reply = self._reply(asked, active := self.quirks.draw(habit, query.get("eid")))
            else:
                reply, active = Reply(429, error_body("Too many requests"), {"Retry-After": "1"}), {}
            self._requests.append(
                RequestRecord(
                    n=asked.n,
                    at=now,
                    elapsed_s=elapsed_s,
                    task=asked.task,
                    params={name: value for name, value in query.items() if name not in {"code", "task"}},
                    http_status=reply.status,
                    rows=reply.rows,
                    refused=reply.refused,
                    quirks=tuple(active),
                )
            )
            return reply

    def _reply(self, asked: _Asked, active: Mapping[Quirk, str]) -> Reply:
        if Quirk.RESET in active:
            return Reply(0, fate=Fate.RESET)
        if Quirk.HANG in active:
            return Reply(0, fate=Fate.HUNG, delay_s=float(active[Quirk.HANG]))
        reply = _server_trouble(active) or self._api_reply(asked, active)
        if Quirk.SLOW in active:
            return replace(reply, delay_s=float(active[Quirk.SLOW]))
        return reply

    def _api_reply(self, asked: _Asked, active: Mapping[Quirk, str]) -> Reply:
        if asked.query.get("code") != self._code:
            return Reply(200, error_body("The verification code is wrong"), refused=True)
        if asked.signature is not None and not is_signed(asked.query, asked.signature, self._code):
            return Reply(200, error_body("The authorization is wrong"), refused=True)
        if Quirk.ERROR_OBJECT in active:
            return Reply(200, error_body("The request failed, please try again later"))
        try:
            rows, total = self._rows(asked, active)
        except WorldError as error:
            return Reply(200, error_body(str(error)))
        body = v1_body(rows, total, active) if asked.is_v1 else rows_body(rows, active)
        body = damaged(body, active, self._rng)
        sent_bytes = cut_point(body, self._rng) if Quirk.CUT_CONNECTION in active else None
        return Reply(200, body, sent_bytes=sent_bytes, rows=len(rows))

    def _rows(self, asked: _Asked, active: Mapping[Quirk, str]) -> tuple[list[WireRow], int]:
        """The rows of one page, and how many the v1 API says there are."""
        start = 0 if Quirk.IGNORE_START in active else max(0, _php_int(asked.query.get("start")))
        limit = _php_int(asked.query.get("limit"))
        limit = limit if limit > 0 else DEFAULT_LIMIT
        if asked.is_v1:
            limit = min(limit, MOST_ROWS)
        if Quirk.LIMIT_CAP in active:
            limit = min(limit, int(active[Quirk.LIMIT_CAP]))
        rows: list[WireRow]
        total = 0
        if asked.task == EXAMS:
            newest_first = self._world.exams()[::-1]
            rows = [exam_row(exam, asked.base_url, asked.at) for exam in newest_first[start : start + limit]]
        elif asked.task == RESULTS:
            rows = self._results(asked, start, limit, active)
        elif asked.task == V1_RESULTS:
            rows, total = self._v1_results(asked, start, limit, active)
        else:
            raise WorldError("The task does not exist")
        if Quirk.EMPTY_LIST in active:
            return [], 0
        if Quirk.UNREADABLE_ROW in active:
            return with_unreadable(rows, int(active[Quirk.UNREADABLE_ROW]), self._rng), total
        return rows, total

    def _results(self, asked: _Asked, start: int, limit: int, active: Mapping[Quirk, str]) -> list[WireRow]:
        exam = self._world.exam(asked.query.get("eid", ""))
        candidate_id = _php_int(asked.query.get("sid"))
        order = RowOrder(active.get(Quirk.ROW_ORDER, RowOrder.NEWEST))
        if candidate_id > 0:
            own = exam.rows_of(candidate_id)
            page = (own if order is RowOrder.OLDEST else own[::-1])[start : start + limit]
        else:
            page = exam.page(start, limit, order, self._rng)
        suffix = self.links.suffix(asked.n, asked.at)
        return [result_row(row, _link(asked, row, suffix), active, one_candidate=candidate_id > 0) for row in page]

    def _v1_results(
        self, asked: _Asked, start: int, limit: int, active: Mapping[Quirk, str]
    ) -> tuple[list[WireRow], int]:
        exam_id, logins = asked.query.get("eid", ""), asked.query.get("loginValues", "")
        exams = [self._world.exam(exam_id)] if exam_id else self._world.exams()
        rows = chosen(exams, logins, RowOrder(active.get(Quirk.ROW_ORDER, RowOrder.NEWEST)), self._rng)
        suffix = self.links.suffix(asked.n, asked.at)
        page: list[WireRow] = [
            v1_row(result_row(row, _link(asked, row, suffix), active, one_candidate=bool(logins)), exam, row)
            for exam, row in rows[start : start + limit]
        ]
        return page, len(rows)


def _link(asked: _Asked, row: Row, suffix: str) -> str:
    return f"{asked.base_url}/viewresult/{row.record_id:x}-{suffix}"


def _server_trouble(active: Mapping[Quirk, str]) -> Reply | None:
    """What the web server answers before the API is reached, if anything."""
    if Quirk.SERVER_ERROR in active:
        return Reply(int(active[Quirk.SERVER_ERROR]), HTML_PAGE)
    if Quirk.THROTTLED in active:
        return Reply(429, error_body("Too many requests"), {"Retry-After": active[Quirk.THROTTLED]})
    if Quirk.HTML_PAGE in active:
        return Reply(200, HTML_PAGE)
    return None


def _php_int(raw: str | None) -> int:
    """What PHP's ``(int)`` makes of a parameter: nothing or nonsense is 0."""
    try:
        return int(raw or "0")
    except ValueError:
        return 0
