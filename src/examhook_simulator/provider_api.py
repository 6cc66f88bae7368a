"""The simulated provider's answer to one request: the page, the limit, the code and every quirk.

The steps by which an answer comes about; each step can end it:

::

    limit (429) ─▶ connection (reset, hang) ─▶ server (5xx, 429, HTML page) ─▶ code ─▶ errors ─▶ rows ─▶ body
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from examhook_simulator.bodies import (
    HTML_PAGE,
    PLAIN_TYPE,
    cut_point,
    damaged,
    error_beside_list,
    error_body,
    list_body,
    throttle_body,
)
from examhook_simulator.dates import date_headers
from examhook_simulator.facts import AttemptRef, RequestRecord, WorldError
from examhook_simulator.listing import Asked, Listing
from examhook_simulator.pace import RequestLimit
from examhook_simulator.quirks import EXAMS, RESULTS, Active, Quirk, Switchboard
from examhook_simulator.result_links import ResultLinks
from examhook_simulator.rows import small_id
from examhook_simulator.v1_api import V1_RESULTS, is_signed
from examhook_simulator.world import World

_KEPT_REQUESTS = 200_000


class Fate(Enum):
    """End of a request."""

    ANSWERED = auto()
    RESET = auto()
    HUNG = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or what happens instead of one."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """All headers except those that frame the body; ``Date`` is among them unless a quirk leaves it out."""
    fate: Fate = Fate.ANSWERED
    delay_s: float = 0
    """Real seconds to wait first; for a hung connection, how long it hangs."""
    sent_bytes: int | None = None
    """Number of bytes of the body that are sent before the connection ends; None: all, and it stays open."""
    interim_status: int | None = None
    """Status of an interim answer that is sent first."""
    rows: int = 0
    """Rows before any damage, for the log."""
    refused: bool = False
    """Whether the account code or the signature was wrong, for the log."""


class ProviderApi:
    """The two tasks of the legacy API and the one of v1 over a world, with a log of requests."""

    def __init__(self, world: World, code: str, limit: RequestLimit) -> None:
        self._world = world
        self._code = code
        self._rng = random.Random(f"{world.seed}/quirks")  # noqa: S311 - reproducible on purpose
        self._requests: deque[RequestRecord] = deque(maxlen=_KEPT_REQUESTS)
        self._asked = 0
        self.limit = limit
        self.quirks = Switchboard(self._rng, world.now)
        self.links = ResultLinks(world.seed)
        self._listing = Listing(world, self.links, self._rng)

    def requests(self, after: int = 0) -> tuple[RequestRecord, ...]:
        """The requests after number ``after``, oldest first; the last 200,000 are kept."""
        with self._world.turn():
            return tuple(record for record in self._requests if record.n > after)

    def answer(self, query: Mapping[str, str], base_url: str, elapsed_s: float, signature: str | None = None) -> Reply:
        """The answer to a request with these parameters that came at ``elapsed_s`` (real seconds).

        A request to the v1 API has a ``signature``, which may be empty.
        """
        with self._world.turn() as now:
            self._asked += 1
            task = query.get("task", "") if signature is None else V1_RESULTS
            ids = {name: small_id(value) for name, value in query.items() if name in {"eid", "sid"}}
            asked = Asked(self._asked, now, {**query, **ids}, task, base_url, signature)
            active: Active = {}
            if self.limit.admit(elapsed_s):
                active = self.quirks.draw(RESULTS if asked.is_v1 else task, asked.exam_id or None)
                reply = self._reply(asked, active)
            else:
                reply = Reply(429, error_body("Too many requests"), {"Retry-After": "1"})
            reply = replace(reply, headers={**date_headers(now, asked.n, active), **PLAIN_TYPE, **reply.headers})
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

    def shown_exams(self) -> tuple[str, ...]:
        """Ids of the exams that the exam list shows on some page, whatever its ``limit``."""
        with self._world.turn() as now:
            active = self.quirks.standing(EXAMS, None)
            return tuple(str(exam.exam_id) for exam in self._listing.shown_exams(now, active))

    def shown_attempts(self, exam_id: str) -> tuple[AttemptRef, ...]:
        """The attempts that an exam's results show on some page; hidden and late rows are left out."""
        with self._world.turn() as now:
            active = self.quirks.standing(RESULTS, exam_id)
            return tuple(self._listing.shown_attempts(exam_id, now, active))

    def _reply(self, asked: Asked, active: Active) -> Reply:
        if Quirk.RESET in active:
            return Reply(0, fate=Fate.RESET)
        if Quirk.HANG in active:
            return Reply(0, fate=Fate.HUNG, delay_s=float(active[Quirk.HANG].value))
        reply = _server_failure(active) or self._api_reply(asked, active)
        if Quirk.SLOW in active:
            reply = replace(reply, delay_s=float(active[Quirk.SLOW].value))
        if Quirk.INTERIM in active:
            reply = replace(reply, interim_status=int(active[Quirk.INTERIM].value))
        return reply

    def _api_reply(self, asked: Asked, active: Active) -> Reply:
        if asked.query.get("code") != self._code:
            return Reply(200, error_body("The verification code is wrong"), refused=True)
        if asked.signature is not None and not is_signed(asked.query, asked.signature, self._code):
            return Reply(200, error_body("The authorization is wrong"), refused=True)
        if (error := _error(asked, active)) is not None:
            return Reply(200, error)
        try:
            rows, total = self._listing.page(asked, active)
        except WorldError as impossible:
            return Reply(200, error_body(str(impossible)))
        body = list_body(rows, total if asked.is_v1 else None, active)
        content = damaged(body.content, active, self._rng)
        sent_bytes = cut_point(content, self._rng) if Quirk.CUT_CONNECTION in active else None
        return Reply(200, content, body.headers, sent_bytes=sent_bytes, rows=len(rows))


def _error(asked: Asked, active: Active) -> bytes | None:
    """The body in which the API reports an error instead of giving rows, if it does."""
    if Quirk.ERROR_OBJECT in active:
        return error_body("The request failed, please try again later")
    if Quirk.THROTTLE_TEXT in active:
        return throttle_body(active[Quirk.THROTTLE_TEXT].value, asked.n)
    if Quirk.ERROR_BESIDE_LIST in active:
        return error_beside_list(active[Quirk.ERROR_BESIDE_LIST].value)
    return None


def _server_failure(active: Active) -> Reply | None:
    """What the web server answers before the API is reached, if anything."""
    if Quirk.SERVER_ERROR in active:
        return Reply(int(active[Quirk.SERVER_ERROR].value), HTML_PAGE)
    if Quirk.THROTTLED in active:
        return Reply(429, error_body("Too many requests"), {"Retry-After": active[Quirk.THROTTLED].value})
    if Quirk.HTML_PAGE in active:
        return Reply(200, HTML_PAGE)
    return None
