"""The simulated provider's answer to a request. Each step can be the last.

::

    limit (429) ─▶ connection (reset, hang) ─▶ server (5xx, 429, HTML page) ─▶ code ─▶ errors ─▶ rows ─▶ body
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
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
from examhook_simulator.facts import AttemptRef, RequestRecord, WorldError
from examhook_simulator.listing import ApiRequest, Listing
from examhook_simulator.quirks import EXAMS, RESULTS, Active, Quirk, Switchboard
from examhook_simulator.request_limit import RequestLimit
from examhook_simulator.result_links import ResultLinks
from examhook_simulator.rows import small_id
from examhook_simulator.v1_api import V1_RESULTS, is_signed
from examhook_simulator.world import World

_KEPT_REQUESTS = 200_000
_SECOND_SERVER_AHEAD_S = 3 * 3600
"""How far the second server's clock is ahead."""


class Fate(Enum):
    """How a request ends."""

    ANSWERED = auto()
    RESET = auto()
    HUNG = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or what happens instead."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """All headers except those that frame the body; ``Date`` unless a quirk omits it."""
    fate: Fate = Fate.ANSWERED
    delay_s: float = 0
    """Real seconds before the answer or the end of a hanging connection."""
    sent_bytes: int | None = None
    """Bytes of the body that are sent before the connection ends; None for the whole body."""
    interim_status: int | None = None
    """Status of an interim answer before the final answer."""
    rows: int = 0
    """Rows before damage, for the log."""
    refused: bool = False
    """Whether the account code or the signature was wrong, for the log."""


class ProviderApi:
    """The legacy API and the v1 API of a world, with a log of requests."""

    def __init__(self, world: World, code: str, limit: RequestLimit) -> None:
        self._world = world
        self._code = code
        self._rng = random.Random(f"{world.seed}/quirks")  # noqa: S311 - reproducible on purpose
        self._requests: deque[RequestRecord] = deque(maxlen=_KEPT_REQUESTS)
        self._request_count = 0
        self.limit = limit
        self.quirks = Switchboard(self._rng, world.now)
        self.links = ResultLinks(world.seed)
        self._listing = Listing(world, self.links, self._rng)

    def requests(self, after: int = 0) -> tuple[RequestRecord, ...]:
        """Return the requests after number ``after``, oldest first. The log keeps the last 200,000."""
        with self._world.locked():
            return tuple(record for record in self._requests if record.n > after)

    def answer(self, query: Mapping[str, str], base_url: str, elapsed_s: float, signature: str | None = None) -> Reply:
        """Answer a request.

        Args:
            query: parameters.
            base_url: start of the links in the answer.
            elapsed_s: real seconds from any fixed point, for the rate limit.
            signature: of a v1 request, possibly empty; None for the legacy API.
        """
        with self._world.locked() as now:
            self._request_count += 1
            task = query.get("task", "") if signature is None else V1_RESULTS
            ids = {name: small_id(value) for name, value in query.items() if name in {"eid", "sid"}}
            request = ApiRequest(self._request_count, now, {**query, **ids}, task, base_url, signature)
            active: Active = {}
            if self.limit.admit(elapsed_s):
                active = self.quirks.draw(RESULTS if request.is_v1 else task, request.exam_id or None)
                reply = self._reply(request, active)
            else:
                reply = Reply(429, error_body("Too many requests"), {"Retry-After": "1"})
            reply = replace(reply, headers={**_date_headers(now, request.n, active), **PLAIN_TYPE, **reply.headers})
            self._requests.append(
                RequestRecord(
                    n=request.n,
                    at=now,
                    elapsed_s=elapsed_s,
                    task=request.task,
                    params={name: value for name, value in query.items() if name not in {"code", "task"}},
                    http_status=reply.status,
                    rows=reply.rows,
                    refused=reply.refused,
                    quirks=tuple(active),
                )
            )
            return reply

    def shown_exams(self) -> tuple[str, ...]:
        """Return the ids of the exams that the exam list shows on some page, with any ``limit``."""
        with self._world.locked() as now:
            active = self.quirks.standing(EXAMS, None)
            return tuple(str(exam.exam_id) for exam in self._listing.shown_exams(now, active))

    def shown_attempts(self, exam_id: str) -> tuple[AttemptRef, ...]:
        """Return the attempts that an exam's results show on some page, without hidden and late rows."""
        with self._world.locked() as now:
            active = self.quirks.standing(RESULTS, exam_id)
            return tuple(self._listing.shown_attempts(exam_id, now, active))

    def _reply(self, request: ApiRequest, active: Active) -> Reply:
        if Quirk.RESET in active:
            return Reply(0, fate=Fate.RESET)
        if Quirk.HANG in active:
            return Reply(0, fate=Fate.HUNG, delay_s=float(active[Quirk.HANG].value))
        reply = _server_failure(active) or self._api_reply(request, active)
        if Quirk.SLOW in active:
            reply = replace(reply, delay_s=float(active[Quirk.SLOW].value))
        if Quirk.INTERIM in active:
            reply = replace(reply, interim_status=int(active[Quirk.INTERIM].value))
        return reply

    def _api_reply(self, request: ApiRequest, active: Active) -> Reply:
        if request.query.get("code") != self._code:
            return Reply(200, error_body("The verification code is wrong"), refused=True)
        if request.signature is not None and not is_signed(request.query, request.signature, self._code):
            return Reply(200, error_body("The authorization is wrong"), refused=True)
        if (error := _error(request, active)) is not None:
            return Reply(200, error)
        try:
            rows, total = self._listing.page(request, active)
        except WorldError as impossible:
            return Reply(200, error_body(str(impossible)))
        body = list_body(rows, total if request.is_v1 else None, active)
        content = damaged(body.content, active, self._rng)
        sent_bytes = cut_point(content, self._rng) if Quirk.CUT_CONNECTION in active else None
        return Reply(200, content, body.headers, sent_bytes=sent_bytes, rows=len(rows))


def _error(request: ApiRequest, active: Active) -> bytes | None:
    """Return the body with which the API reports an error, if any."""
    if Quirk.ERROR_OBJECT in active:
        return error_body("The request failed, please try again later")
    if Quirk.THROTTLE_TEXT in active:
        return throttle_body(active[Quirk.THROTTLE_TEXT].value, request.n)
    if Quirk.ERROR_BESIDE_LIST in active:
        return error_beside_list(active[Quirk.ERROR_BESIDE_LIST].value)
    return None


def _server_failure(active: Active) -> Reply | None:
    """Return the answer with which the web server fails, if any."""
    if Quirk.SERVER_ERROR in active:
        return Reply(int(active[Quirk.SERVER_ERROR].value), HTML_PAGE)
    if Quirk.THROTTLED in active:
        return Reply(429, error_body("Too many requests"), {"Retry-After": active[Quirk.THROTTLED].value})
    if Quirk.HTML_PAGE in active:
        return Reply(200, HTML_PAGE)
    return None


def _date_headers(now: int, request_n: int, active: Active) -> dict[str, str]:
    """Return the ``Date`` header; empty if a quirk omits it."""
    switch = active.get(Quirk.DATE)
    shown_at = now
    match switch.value if switch else "":
        case "":
            pass
        case "absent":
            return {}
        case "1970":
            shown_at = 0
        case "stuck":
            shown_at = switch.since if switch else now
        case "two_servers":
            shown_at = now + _SECOND_SERVER_AHEAD_S * (request_n % 2)
        case offset_s:
            shown_at = max(0, now + int(offset_s))
    return {"Date": formatdate(shown_at, usegmt=True)}
