"""Asks the provider: paced, within a deadline, again where that may help, in typed errors.

The account code travels in the query string, so nothing here lets a URL, an error of the HTTP
library or the query itself out: errors are made outside any ``except`` block, so that they have no
context, and parameters and headers do not show what they hold.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, NotRequired, TypedDict, TypeVar, Unpack

from examhook import __version__
from examhook.http.session import Answer, BoundedSession, HttpError, StaleConnectionError
from examhook.provider.errors import (
    ProviderError,
    ProviderMalformed,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.headers import http_date
from examhook.provider.pacing import Pacer
from examhook.provider.pages import ExamPage, RecordPage, ResultsPage
from examhook.provider.rows import ErrorAnswer
from examhook.provider.verdict import Question, error_answered, not_reached, unusable

PageT = TypeVar("PageT", ExamPage, ResultsPage, RecordPage)

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Room for some 50,000 rows."""

LONGEST_WAIT_S = 30.0
"""A provider that wants to be left alone for longer is left to the next poll."""

MOST_REFUSALS = 2
"""A code that is refused is not tried more often, whether the refusal was plain or not."""

_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 10.0


class Hidden(dict[str, str]):
    """Parameters or headers of a request; whoever prints them sees none."""

    def __repr__(self) -> str:
        return "Hidden(…)"


class Means(TypedDict):
    """What a client asks with.

    ``now`` gives Unix seconds. A question is asked up to ``attempts`` times (default 3), each
    within ``request_deadline_s`` (default 30).
    """

    session: BoundedSession
    pacer: Pacer
    now: Callable[[], float]
    sleep: Callable[[float], None]
    rng: random.Random
    request_deadline_s: NotRequired[float]
    attempts: NotRequired[int]


class PacedClient(ABC):
    """What the clients of both dialects share; for one thread.

    Pauses between attempts are random up to a bound that doubles (full jitter), or what the
    provider asks for.
    """

    PATH: ClassVar[str]
    """Where the API stands below the base URL."""

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
        """Unix seconds after which nothing is waited for; whoever is short of time sets it."""
        self._left_alone_until = 0.0
        """Unix seconds: the provider asked for it. Whoever makes the next client decides whether it goes on."""

    @abstractmethod
    def _identified(self, query: Hidden) -> tuple[Hidden, Hidden]:
        """All parameters, and headers, of one request: ``query`` and what proves whose it is."""

    def _ask(self, query: Hidden, parse: Callable[[bytes], PageT], question: Question) -> PageT:
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

    def _attempt(self, query: Hidden, parse: Callable[[bytes], PageT], question: Question) -> PageT | ProviderError:
        """Ask once."""
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

    def _send(self, query: Hidden, *, new_connection: bool = False) -> Answer | HttpError:
        """Send one request when the rate allows it."""
        self._pacer.wait()
        self.requests_made += 1
        params, headers = self._identified(query)
        try:
            return self._session.send(
                "GET",
                self._url,
                deadline_s=min(self._request_deadline_s, self.give_up_at - self._now()),
                max_body_bytes=MAX_BODY_BYTES,
                headers=Hidden(headers, **{"User-Agent": f"examhook/{__version__}", "Accept": "application/json"}),
                params=params,
                new_connection=new_connection,
            )
        except HttpError as error:
            return error
        finally:
            self._pacer.finished()

    def _read(self, answer: Answer, parse: Callable[[bytes], PageT], question: Question) -> PageT | ProviderError:
        """The page that ``answer`` holds, or why it holds none."""
        problem = unusable(answer, self._now(), question)
        if problem is not None and not isinstance(problem, ProviderMalformed):
            return problem
        # An answer with a wrong status may still hold an error object, which says more.
        try:
            page = parse(answer.body)
        except ErrorAnswer as error:
            return error_answered(error.said, question, self._code)
        except ProviderMalformed as error:
            return problem or error.with_traceback(None)
        return problem or replace(page, provider_time=http_date(answer.headers.get("Date")))

    def _no_time(self) -> ProviderError | None:
        """Why the next request cannot be made in time, if so."""
        delay_s = max(self._pacer.delay_s(), self._left_alone_until - self._now())
        if delay_s > LONGEST_WAIT_S:
            return ProviderThrottled(
                f"The provider asked not to be asked for another {delay_s:.0f} s. A later poll asks again.",
                retry_after_s=delay_s,
            )
        if self._now() + delay_s >= self.give_up_at:
            return ProviderUnavailable("There was no time left to ask the provider. The next poll goes on.")
        return None

    def _pause_s(self, error: ProviderError, attempt: int) -> float | None:
        """Seconds to wait before asking again; None when that does not help, or not in time."""
        pause_s = self._rng.uniform(0, min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2 ** (attempt - 1)))
        if isinstance(error, ProviderThrottled) and error.retry_after_s is not None:
            self._left_alone_until = max(self._left_alone_until, self._now() + error.retry_after_s)
            # Some jitter on top: others who were told the same come back at the same moment.
            pause_s += error.retry_after_s
        attempts = min(self._attempts, MOST_REFUSALS) if isinstance(error, ProviderRefused) else self._attempts
        if not error.helps_to_retry or attempt >= attempts or pause_s > LONGEST_WAIT_S:
            return None
        return pause_s if self._now() + pause_s < self.give_up_at else None
