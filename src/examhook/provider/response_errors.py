"""Maps answers, and requests without an answer, to errors whose message says what to do."""

from __future__ import annotations

import html
import re
from enum import Enum, auto
from typing import assert_never
from urllib.parse import quote, quote_plus, urlsplit

from examhook.http.errors import (
    BadUrlError,
    BlockedAddressError,
    BrokenResponseError,
    CertificateError,
    HttpError,
    TlsError,
)
from examhook.http.response import HttpResponse
from examhook.provider.error_texts import Meaning, meaning
from examhook.provider.errors import (
    ProviderError,
    ProviderMalformed,
    ProviderRefused,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.headers import retry_after_s


class Question(Enum):
    """What a request was for, which decides what an error is about."""

    EXAMS = auto()
    RESULTS = auto()
    CANDIDATE = auto()


LONGEST_PAUSE_S = 3600.0
"""Longest pause that is kept because the provider asks for one: it may have meant something else."""

_STORE_CODE = "Store the right code in the account-code secret; the next poll uses it."
_IF_WRONG = "If the account code is wrong, store the right one in the account-code secret; the next poll uses it."
_CHECK_ADDRESS = "Check ProviderBaseUrl: it must be the address of the provider's site."
_THROTTLED = "The provider says that it receives too many requests. If it persists, lower RequestsPerSecond."

_TOKEN = re.compile(r"[a-z]+://\S+|[a-z0-9_-]{16,}", re.IGNORECASE | re.ASCII)
_TAG = re.compile(r"<[^<>]*>|[\x00-\x1f\x7f]+")
_LONG_REFERENCE = re.compile(r"&#[0-9]{8,}")
"""A reference to no character, with more digits than Python makes a number of."""
_MAX_SAID = 120


def not_reached(error: HttpError) -> ProviderError:
    """The error for a request that got no answer."""
    if isinstance(error, BrokenResponseError):
        return ProviderMalformed(f"{error} The next poll asks again.")
    if isinstance(error, CertificateError):
        # The address is right: its operator must act.
        return ProviderUnavailable(f"The provider could not be asked: {error}", helps_to_retry=False)
    if isinstance(error, BadUrlError | BlockedAddressError | TlsError):
        return ProviderUnavailable(f"The provider could not be asked: {error} {_CHECK_ADDRESS}", helps_to_retry=False)
    return ProviderUnavailable(f"The provider could not be reached: {error} The next poll tries again.")


def unusable(answer: HttpResponse, now: float, question: Question) -> ProviderError | None:
    """The error that the status of ``answer`` stands for; None where its body is to be read."""
    status = answer.status
    if status in {401, 403}:
        return _forbidden(status, question)
    pause_s = _bounded(retry_after_s(answer.headers, now))
    if status == 429 or (status == 503 and pause_s is not None):  # noqa: PLR2004 - statuses of HTTP
        return ProviderThrottled(_THROTTLED, retry_after_s=pause_s)
    if status == 408 or status >= 500:  # noqa: PLR2004 - statuses of HTTP
        return ProviderUnavailable(f"The provider's server failed (HTTP {status}). The next poll tries again.")
    return _malformed(answer)


def _bounded(pause_s: float | None) -> float | None:
    return None if pause_s is None else min(pause_s, LONGEST_PAUSE_S)


def _forbidden(status: int, question: Question) -> ProviderError:
    match question:
        case Question.EXAMS if status == 401:  # noqa: PLR2004 - statuses of HTTP
            return ProviderRefused(f"The provider refuses the account code (HTTP {status}). {_STORE_CODE}")
        case Question.EXAMS:
            # Web firewalls answer so as well, whatever the code.
            return ProviderRefused(f"The provider refuses to list the exams (HTTP {status}). {_IF_WRONG}", plain=False)
        case Question.RESULTS:
            return ProviderRejected(f"The provider refuses the exam's results (HTTP {status}).", plain=False)
        case Question.CANDIDATE:
            return ProviderRejected(f"The provider refuses a candidate's results (HTTP {status}).", plain=False)
        case _:
            assert_never(question)


def _malformed(answer: HttpResponse) -> ProviderMalformed | None:
    """The error for an answer of something other than the provider's API, which no retry helps."""
    if answer.truncated:
        problem = "The provider's answer was too long to be data."
    elif answer.status >= 400:  # noqa: PLR2004 - statuses of HTTP
        problem = f"The provider answered HTTP {answer.status}."
    elif answer.status >= 300:  # noqa: PLR2004 - statuses of HTTP
        problem = f"The provider redirects{_target(answer)} instead of answering."
    else:
        return None
    return ProviderMalformed(f"{problem} {_CHECK_ADDRESS}", helps_to_retry=False)


def error_answered(said: str, question: Question, code: str, *, stated_code: int | None = None) -> ProviderError:
    """The error for an error object that says ``said`` and states the number ``stated_code``.

    The provider documents none of its texts. One about the list of exams that says nothing certain may be a refusal
    of the code, but not a plain one.
    """
    quoted = _quoted(said, code)
    match meaning(said, stated_code):
        case Meaning.TOO_OFTEN:
            return ProviderThrottled(_THROTTLED)
        case Meaning.FOR_NOW:
            return ProviderUnavailable("The provider reports a temporary error. The next poll tries again.")
        case Meaning.CODE if question is Question.EXAMS:
            return ProviderRefused(f"The provider refuses the account code{quoted}. {_STORE_CODE}")
        case Meaning.CODE | Meaning.UNCLEAR:
            return _unclear(question, quoted)
        case unexpected:
            assert_never(unexpected)


def _unclear(question: Question, quoted: str) -> ProviderError:
    match question:
        case Question.EXAMS:
            return ProviderRefused(f"The provider refuses to list the exams{quoted}. {_IF_WRONG}", plain=False)
        case Question.RESULTS:
            return ProviderRejected(f"The provider gives an error instead of the exam's results{quoted}.")
        case Question.CANDIDATE:
            # A text about a candidate may name the candidate.
            return ProviderRejected("The provider gives an error instead of a candidate's results.")
        case _:
            assert_never(question)


def _quoted(said: str, code: str) -> str:
    """The provider's own words in brackets, without the code, links or anything that looks like a token."""
    words = html.unescape(_LONG_REFERENCE.sub("…", said))
    for form in {code, quote(code, safe=""), quote_plus(code), html.unescape(code)}:
        if form:
            words = re.sub(re.escape(form), "…", words, flags=re.IGNORECASE)
    words = _TOKEN.sub("…", _TAG.sub(" ", words))
    words = " ".join(words.split())[:_MAX_SAID].rstrip(" .")
    return f" (it says: {words})" if words else ""


def _target(answer: HttpResponse) -> str:
    """Where a redirect leads: scheme and host only, since the rest may repeat the query."""
    try:
        where = urlsplit(answer.headers.get("Location", ""))
    except ValueError:
        return ""
    return f" to {where.scheme}://{where.hostname}" if where.scheme and where.hostname else ""
