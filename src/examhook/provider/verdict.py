"""Which error an answer, or the lack of one, is: a clear sentence that says what to do."""

from __future__ import annotations

import html
import re
from enum import Enum, auto
from typing import assert_never
from urllib.parse import quote, quote_plus, urlsplit

from examhook.http.session import Answer, BadUrlError, BlockedAddressError, BrokenAnswerError, HttpError, TlsError
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
    """What was asked, which decides whom an error is about."""

    EXAMS = auto()
    RESULTS = auto()
    CANDIDATE = auto()


LONGEST_PAUSE_S = 3600.0
"""A provider that asks to be left alone for longer is asked once after this: it may have meant something else."""

_PUT_RIGHT_CODE = "Put the right code into the account-code secret; the next poll takes it at once."
_IF_WRONG = (
    "If the account code is wrong, put the right one into the account-code secret; the next poll takes it at once."
)
_CHECK_ADDRESS = "Check ProviderBaseUrl: it must be the address of the provider's site."
_THROTTLED = "The provider says that it is asked too often. If this goes on, lower RequestsPerSecond."

_TOO_OFTEN = re.compile(r"too (?:many|frequent|often|fast)|rate.?limit|frequen(?:cy|tly)|频繁", re.IGNORECASE)
_FOR_NOW = re.compile(
    r"later|temporar|maintenance|busy|timed? ?out|overload|unavailable"
    r"|database|(?<![a-z])(?:my)?sql|deadlock|connection|internal|server error|exception|fatal|out of memory"
    r"|稍后|繁忙|维护|超时|数据库|服务器|系统错误|网络",
    re.IGNORECASE,
)
"""Trouble of the provider's own. Looked for before the code: "SQLSTATE[28000] Access denied" speaks of another's."""
_OF_THE_CODE = re.compile(
    r"(?<![a-z])(?<!error )(?<!error-)(?<!error_)(?<!status )code(?![a-z])"
    r"|(?<![a-z])(?:passcode|authcode|token|api.?key|secret|password|credentials?|signature|account|user)(?![a-z])"
    r"|auth(?:ori[sz]|entic)|permission|forbidden|denied"
    r"|验证码|授权|密钥|签名|账号|帐号|账户|帐户|权限",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[a-z]+://\S+|[a-z0-9_-]{16,}", re.IGNORECASE | re.ASCII)
_TAG = re.compile(r"<[^<>]*>|[\x00-\x1f\x7f]+")
_LONG_REFERENCE = re.compile(r"&#[0-9]{8,}")
"""A reference to no character, with more digits than Python makes a number of."""
_MAX_SAID = 120


def not_reached(error: HttpError) -> ProviderError:
    """The error for a request that got no answer."""
    if isinstance(error, BrokenAnswerError):
        return ProviderMalformed(f"{error} The next poll asks again.")
    if isinstance(error, BadUrlError | BlockedAddressError | TlsError):
        return ProviderUnavailable(f"The provider could not be asked: {error} {_CHECK_ADDRESS}", helps_to_retry=False)
    return ProviderUnavailable(f"The provider could not be reached: {error} The next poll tries again.")


def unusable(answer: Answer, now: float, question: Question) -> ProviderError | None:
    """The error that the status of ``answer`` stands for; None when its body is to be read."""
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
            return ProviderRefused(f"The provider refuses the account code (HTTP {status}). {_PUT_RIGHT_CODE}")
        case Question.EXAMS:
            # Web firewalls answer so as well, to any code.
            return ProviderRefused(f"The provider refuses to list the exams (HTTP {status}). {_IF_WRONG}", plain=False)
        case Question.RESULTS:
            return ProviderRejected(f"The provider refuses the exam's results (HTTP {status}).", plain=False)
        case Question.CANDIDATE:
            return ProviderRejected(f"The provider refuses a candidate's results (HTTP {status}).", plain=False)
        case _:
            assert_never(question)


def _malformed(answer: Answer) -> ProviderMalformed | None:
    """Answers that no repetition mends: somebody other than the provider's API gives them."""
    if answer.truncated:
        problem = "The provider's answer was too long to be data."
    elif answer.status >= 400:  # noqa: PLR2004 - statuses of HTTP
        problem = f"The provider answered HTTP {answer.status}."
    elif answer.status >= 300:  # noqa: PLR2004 - statuses of HTTP
        problem = f"The provider redirects{_target(answer)} instead of answering."
    else:
        return None
    return ProviderMalformed(f"{problem} {_CHECK_ADDRESS}", helps_to_retry=False)


def error_answered(said: str, question: Question, code: str) -> ProviderError:
    """The error for an error object, whose text is ``said``.

    Nobody has listed the provider's texts. One about the list of exams that is not understood is taken for a refusal
    of the code, but not for a plain one.
    """
    if _TOO_OFTEN.search(said):
        return ProviderThrottled(_THROTTLED)
    quoted = _quoted(said, code)
    if _FOR_NOW.search(said):
        # Not to be taken for a refused code, after which nothing is asked for long.
        return ProviderUnavailable("The provider gives an error that will pass. The next poll tries again.")
    match question:
        case Question.EXAMS if _OF_THE_CODE.search(said):
            return ProviderRefused(f"The provider refuses the account code{quoted}. {_PUT_RIGHT_CODE}")
        case Question.EXAMS:
            return ProviderRefused(f"The provider refuses to list the exams{quoted}. {_IF_WRONG}", plain=False)
        case Question.RESULTS:
            return ProviderRejected(f"The provider gives an error instead of the exam's results{quoted}.")
        case Question.CANDIDATE:
            # What it says about a candidate may name the candidate.
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


def _target(answer: Answer) -> str:
    """Where a redirect leads: scheme and host only, since the rest may repeat the query."""
    try:
        where = urlsplit(answer.headers.get("Location", ""))
    except ValueError:
        return ""
    return f" to {where.scheme}://{where.hostname}" if where.scheme and where.hostname else ""
