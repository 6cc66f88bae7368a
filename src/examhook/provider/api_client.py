"""HTTP client for both APIs of the provider: rate limit, deadlines, retries and typed errors.

The query string contains the account code, so no URL, query or error of the HTTP library leaves this module. Errors are
created outside ``except`` blocks, so that they have no context. Parameters and headers hide their values in ``repr``.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NotRequired, TypedDict, TypeVar, Unpack

from examhook import __version__
from examhook.http.client import HttpClient
from examhook.http.errors import HttpError, StaleConnectionError
from examhook.http.response import HttpResponse
from examhook.provider.errors import (
    ProviderError,
    ProviderMalformed,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.headers import charset, clock_offset_s
from examhook.provider.pacing import Pacer
from examhook.provider.port import ExamPage, RecordPage, ResultsPage
from examhook.provider.response_envelope import ErrorAnswer
from examhook.provider.response_errors import RequestKind, error_from_status, error_from_text, error_from_transport

PageT = TypeVar("PageT", ExamPage, ResultsPage, RecordPage)

Parse = Callable[[bytes, str | None], PageT]
"""Parses a body, given the character set in the headers; raises ProviderMalformed, ErrorAnswer."""

MAX_PAGE_BYTES = 8 * 1024 * 1024
"""Twice the size of 10,000 rows of 400 bytes."""

MAX_WAIT_S = 30.0
"""Maximum pause within one poll. A longer pause is left to the next poll."""

_MAX_REFUSED_ATTEMPTS = 2
"""Maximum attempts with an account code that may be wrong."""

_BACKOFF_S = 1.0
_MAX_BACKOFF_S = 10.0


class RedactedDict(dict[str, str]):
    """Parameters or headers of a request; ``repr`` hides their values."""

    def __repr__(self) -> str:
        return "RedactedDict(…)"


class ClientOptions(TypedDict):
    """Dependencies and limits of a client.

    ``now`` returns Unix seconds. A request is attempted up to ``attempts`` times (default 3), each within
    ``request_deadline_s`` (default 30).
    """

    session: HttpClient
    pacer: Pacer
    now: Callable[[], float]
    sleep: Callable[[float], None]
    rng: random.Random
    request_deadline_s: NotRequired[float]
    attempts: NotRequired[int]


class ApiClient(ABC):
    """Base of both clients. Use it in one thread only.

    The pause between two attempts is random, up to a bound that doubles (full jitter). The client adds the pause
    that the provider asks for, if any.
    """

    PATH: ClassVar[str]
    """Path of the API below the base URL."""

    def __init__(self, base_url: str, code: str, **options: Unpack[ClientOptions]) -> None:
        self._url = base_url.rstrip("/") + self.PATH
        self._code = code
        self._session = options["session"]
        self._pacer = options["pacer"]
        self._now = options["now"]
        self._sleep = options["sleep"]
        self._rng = options["rng"]
        self._request_deadline_s = options.get("request_deadline_s", 30.0)
        self._attempts = options.get("attempts", 3)
        self.requests_made = 0
        self.give_up_at = math.inf
        """Unix seconds after which the client stops waiting; set by the caller."""
        self._paused_until = 0.0
        """Unix seconds until which the provider asked for a pause."""
        self._clock_offset_s: int | None = None

    @property
    def clock_offset_s(self) -> int | None:
        """Seconds by which the provider's clock is ahead of ours; 0 if they differ by less than a minute.

        The smallest offset of all answers. None if no answer had a plausible ``Date`` header.
        """
        return self._clock_offset_s

    @abstractmethod
    def _authenticated(self, query: RedactedDict) -> tuple[RedactedDict, RedactedDict]:
        """Return the parameters and headers of a request: ``query`` and the credentials."""

    def _request(self, query: RedactedDict, parse: Parse[PageT], kind: RequestKind) -> PageT:
        """Return the page for ``query``, with retries; raises ProviderError."""
        attempt = 1
        while True:
            outcome = self._attempt(query, parse, kind)
            if not isinstance(outcome, ProviderError):
                return outcome
            pause_s = self._retry_pause_s(outcome, attempt)
            if pause_s is None:
                raise outcome
            self._sleep(pause_s)
            attempt += 1

    def _attempt(self, query: RedactedDict, parse: Parse[PageT], kind: RequestKind) -> PageT | ProviderError:
        timeout = self._timeout()
        if timeout is not None:
            return timeout
        if (left_s := self._paused_until - self._now()) > 0:
            self._sleep(left_s)
        outcome = self._send(query)
        if isinstance(outcome, StaleConnectionError):
            # The connection failed, not the provider, so this does not count as an attempt.
            outcome = self._send(query, new_connection=True)
        return error_from_transport(outcome) if isinstance(outcome, HttpError) else self._parsed(outcome, parse, kind)

    def _timeout(self) -> ProviderError | None:
        """Return an error if the next request cannot start in time."""
        delay_s = max(self._pacer.delay_s(), self._paused_until - self._now())
        if delay_s > MAX_WAIT_S:
            return ProviderThrottled(
                f"The provider asked for a pause of another {delay_s:.0f} s. A later poll tries again.",
                retry_after_s=delay_s,
            )
        if self._now() + delay_s >= self.give_up_at:
            return ProviderUnavailable("There was no time left for another request. The next poll continues.")
        return None

    def _send(self, query: RedactedDict, *, new_connection: bool = False) -> HttpResponse | HttpError:
        """Send one request as soon as the rate limit allows it."""
        self._pacer.wait()
        self.requests_made += 1
        params, headers = self._authenticated(query)
        sent_at = self._now()
        try:
            answer = self._session.send(
                "GET",
                self._url,
                deadline_s=min(self._request_deadline_s, self.give_up_at - sent_at),
                max_body_bytes=MAX_PAGE_BYTES,
                headers=RedactedDict(
                    headers, **{"User-Agent": f"examhook/{__version__}", "Accept": "application/json"}
                ),
                params=params,
                new_connection=new_connection,
            )
        except HttpError as error:
            return error
        finally:
            self._pacer.finished()
        self._compare_clocks(answer, (sent_at + self._now()) / 2)
        return answer

    def _compare_clocks(self, answer: HttpResponse, at: float) -> None:
        """Keep the smallest offset: one of several servers may be wrong, and an answer may come from a cache."""
        offset_s = clock_offset_s(answer.headers, at)
        if offset_s is not None and (self._clock_offset_s is None or abs(offset_s) < abs(self._clock_offset_s)):
            self._clock_offset_s = offset_s

    def _parsed(self, answer: HttpResponse, parse: Parse[PageT], kind: RequestKind) -> PageT | ProviderError:
        error = error_from_status(answer, self._now(), kind)
        if error is not None and not isinstance(error, ProviderMalformed):
            return error
        # An answer with an unexpected status may still contain an error object, which says more.
        try:
            page = parse(answer.body, charset(answer.headers))
        except ErrorAnswer as answered:
            return error_from_text(answered.text, kind, self._code, stated_code=answered.code)
        except ProviderMalformed as malformed:
            return error or malformed.with_traceback(None)
        return error or page

    def _retry_pause_s(self, error: ProviderError, attempt: int) -> float | None:
        """Return the seconds to wait before the next attempt; None if a retry cannot help or cannot start in time."""
        pause_s = self._rng.uniform(0, min(_MAX_BACKOFF_S, _BACKOFF_S * 2 ** (attempt - 1)))
        if isinstance(error, ProviderThrottled) and error.retry_after_s is not None:
            self._paused_until = max(self._paused_until, self._now() + error.retry_after_s)
            # Keep the jitter, because other clients may have received the same answer.
            pause_s += error.retry_after_s
        max_attempts = self._attempts
        if isinstance(error, ProviderRefused):
            max_attempts = min(max_attempts, _MAX_REFUSED_ATTEMPTS)
        if not error.retryable or attempt >= max_attempts or pause_s > MAX_WAIT_S:
            return None
        return pause_s if self._now() + pause_s < self.give_up_at else None
