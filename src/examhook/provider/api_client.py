"""The HTTP client that both APIs share: paced requests, deadlines, retries and typed errors.

The query string holds the account code. No URL, error of the HTTP library or query leaves this module:
errors are created outside ``except`` blocks, so that they have no context, and parameters and headers
have a ``repr`` without their values.
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
from examhook.provider.envelope import ErrorAnswer
from examhook.provider.errors import (
    ProviderError,
    ProviderMalformed,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.headers import charset, clock_offset_s
from examhook.provider.pacing import Pacer
from examhook.provider.pages import ExamPage, RecordPage, ResultsPage
from examhook.provider.response_errors import Question, error_answered, not_reached, unusable

PageT = TypeVar("PageT", ExamPage, ResultsPage, RecordPage)

Parse = Callable[[bytes, str | None], PageT]
"""Reads a body, given the character set that its headers state; raises ProviderMalformed, ErrorAnswer."""

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Twice what 10,000 rows of 400 bytes take."""

LONGEST_WAIT_S = 30.0
"""Longest pause within one poll; a longer one is left to the next poll."""

MOST_REFUSALS = 2
"""Requests with an account code that may be wrong, before the poll gives up."""

_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 10.0


class Hidden(dict[str, str]):
    """Parameters or headers of a request, with a ``repr`` that shows none of them."""

    def __repr__(self) -> str:
        return "Hidden(…)"


class Means(TypedDict):
    """Dependencies and limits of a client.

    ``now`` gives Unix seconds. A request is sent up to ``attempts`` times (default 3), each
    within ``request_deadline_s`` (default 30).
    """

    session: HttpClient
    pacer: Pacer
    now: Callable[[], float]
    sleep: Callable[[float], None]
    rng: random.Random
    request_deadline_s: NotRequired[float]
    attempts: NotRequired[int]


class PacedClient(ABC):
    """Base of the clients of both dialects; for one thread.

    The pause between two attempts is random up to a bound that doubles (full jitter), or what the
    provider asks for.
    """

    PATH: ClassVar[str]
    """Path of the API below the base URL."""

    def __init__(self, base_url: str, code: str, **means: Unpack[Means]) -> None:
        self._url = base_url.rstrip("/") + self.PATH
        self._code = code
        self._session = means["session"]
        self._pacer = means["pacer"]
        self._now = means["now"]
        self._sleep = means["sleep"]
        self._rng = means["rng"]
        self._request_deadline_s = means.get("request_deadline_s", 30.0)
        self._attempts = means.get("attempts", 3)
        self.requests_made = 0
        self.give_up_at = math.inf
        """Unix seconds after which it waits for nothing more; the caller sets it."""
        self._left_alone_until = 0.0
        """Unix seconds until which the provider asked for a pause. The caller carries it over to the next client."""
        self._clock_offset_s: int | None = None

    @property
    def clock_offset_s(self) -> int | None:
        """Seconds by which the provider's clock is ahead of ours, 0 where they agree to the minute.

        Of several servers, the one nearest to our clock counts. None where no answer had a believable ``Date``.
        """
        return self._clock_offset_s

    @abstractmethod
    def _identified(self, query: Hidden) -> tuple[Hidden, Hidden]:
        """All parameters, and headers, of one request: ``query`` and what authenticates it."""

    def _ask(self, query: Hidden, parse: Parse[PageT], question: Question) -> PageT:
        """The page for ``query``, with retries; raises ProviderError."""
        attempt = 1
        while True:
            outcome = self._attempt(query, parse, question)
            if not isinstance(outcome, ProviderError):
                return outcome
            pause_s = self._pause_s(outcome, attempt)
            if pause_s is None:
                raise outcome
            self._sleep(pause_s)
            attempt += 1

    def _attempt(self, query: Hidden, parse: Parse[PageT], question: Question) -> PageT | ProviderError:
        """Send one request."""
        no_time = self._no_time()
        if no_time is not None:
            return no_time
        if (left_s := self._left_alone_until - self._now()) > 0:
            self._sleep(left_s)
        outcome = self._send(query)
        if isinstance(outcome, StaleConnectionError):
            # The connection failed, not the provider, so this is no attempt of its own.
            outcome = self._send(query, new_connection=True)
        return not_reached(outcome) if isinstance(outcome, HttpError) else self._read(outcome, parse, question)

    def _send(self, query: Hidden, *, new_connection: bool = False) -> HttpResponse | HttpError:
        """Send one request when the rate allows it."""
        self._pacer.wait()
        self.requests_made += 1
        params, headers = self._identified(query)
        sent_at = self._now()
        try:
            answer = self._session.send(
                "GET",
                self._url,
                deadline_s=min(self._request_deadline_s, self.give_up_at - sent_at),
                max_body_bytes=MAX_BODY_BYTES,
                headers=Hidden(headers, **{"User-Agent": f"examhook/{__version__}", "Accept": "application/json"}),
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
        """Keep the smallest difference: one server of several may be wrong, and an answer may have been stored."""
        offset_s = clock_offset_s(answer.headers, at)
        if offset_s is not None and (self._clock_offset_s is None or abs(offset_s) < abs(self._clock_offset_s)):
            self._clock_offset_s = offset_s

    def _read(self, answer: HttpResponse, parse: Parse[PageT], question: Question) -> PageT | ProviderError:
        """The page in ``answer``, or the error that it stands for."""
        problem = unusable(answer, self._now(), question)
        if problem is not None and not isinstance(problem, ProviderMalformed):
            return problem
        # An answer with a wrong status may still hold an error object, which says more.
        try:
            page = parse(answer.body, charset(answer.headers))
        except ErrorAnswer as error:
            return error_answered(error.said, question, self._code, stated_code=error.code)
        except ProviderMalformed as error:
            return problem or error.with_traceback(None)
        return problem or page

    def _no_time(self) -> ProviderError | None:
        """The error where the next request cannot start in time."""
        delay_s = max(self._pacer.delay_s(), self._left_alone_until - self._now())
        if delay_s > LONGEST_WAIT_S:
            return ProviderThrottled(
                f"The provider asked for a pause of another {delay_s:.0f} s. A later poll asks again.",
                retry_after_s=delay_s,
            )
        if self._now() + delay_s >= self.give_up_at:
            return ProviderUnavailable("There was no time left for another request. The next poll continues.")
        return None

    def _pause_s(self, error: ProviderError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt; None where it cannot help or cannot start in time."""
        pause_s = self._rng.uniform(0, min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2 ** (attempt - 1)))
        if isinstance(error, ProviderThrottled) and error.retry_after_s is not None:
            self._left_alone_until = max(self._left_alone_until, self._now() + error.retry_after_s)
            # Jitter on top, since other clients may have received the same answer.
            pause_s += error.retry_after_s
        attempts = min(self._attempts, MOST_REFUSALS) if isinstance(error, ProviderRefused) else self._attempts
        if not error.helps_to_retry or attempt >= attempts or pause_s > LONGEST_WAIT_S:
            return None
        return pause_s if self._now() + pause_s < self.give_up_at else None
