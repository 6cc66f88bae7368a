"""Maps failed requests and unusable answers to errors whose message says what to do."""

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
from examhook.provider.error_texts import Meaning, meaning_of
from examhook.provider.errors import (
    ProviderError,
    ProviderMalformed,
    ProviderRefused,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.headers import retry_after_s


class RequestKind(Enum):
    """What a request asks for. The subject of an error in the answer depends on it."""

    EXAMS = auto()
    RESULTS = auto()
    CANDIDATE = auto()


MAX_PAUSE_S = 3600.0
"""Maximum pause that is accepted from the provider; a longer one may be a mistake."""

_STORE_CODE = "Store the correct code in the account-code secret; the next poll uses it."
_IF_WRONG = "If the account code is wrong, store the correct one in the account-code secret; the next poll uses it."
_CHECK_ADDRESS = "Check ProviderBaseUrl: it must be the address of the provider's site."
_THROTTLED = "The provider reports too many requests. If this persists, lower RequestsPerSecond."

_LINK_OR_TOKEN = re.compile(r"[a-z]+://\S+|[a-z0-9_-]{16,}", re.IGNORECASE | re.ASCII)
_TAG_OR_CONTROL = re.compile(r"<[^<>]*>|[\x00-\x1f\x7f]+")
_INVALID_REFERENCE = re.compile(r"&#[0-9]{8,}")
"""A character reference with more digits than any character needs; Python fails on very long ones."""
_MAX_QUOTED_CHARACTERS = 120


def error_from_transport(error: HttpError) -> ProviderError:
    """Return the error for a request without an answer."""
    if isinstance(error, BrokenResponseError):
        return ProviderMalformed(f"{error} The next poll tries again.")
    if isinstance(error, CertificateError):
        # The address is correct; its operator must act.
        return ProviderUnavailable(f"No request reached the provider: {error}", retryable=False)
    if isinstance(error, BadUrlError | BlockedAddressError | TlsError):
        return ProviderUnavailable(f"No request reached the provider: {error} {_CHECK_ADDRESS}", retryable=False)
    return ProviderUnavailable(f"The provider could not be reached: {error} The next poll tries again.")


def error_from_status(answer: HttpResponse, now: float, kind: RequestKind) -> ProviderError | None:
    """Return the error for the status of ``answer``; None if its body can be read."""
    status = answer.status
    if status in {401, 403}:
        return _forbidden(status, kind)
    pause_s = retry_after_s(answer.headers, now)
    if status == 429 or (status == 503 and pause_s is not None):  # noqa: PLR2004 - statuses of HTTP
        bounded_pause_s = None if pause_s is None else min(pause_s, MAX_PAUSE_S)
        return ProviderThrottled(_THROTTLED, retry_after_s=bounded_pause_s)
    if status == 408 or status >= 500:  # noqa: PLR2004 - statuses of HTTP
        return ProviderUnavailable(f"The provider's server failed (HTTP {status}). The next poll tries again.")
    return _not_the_api(answer)


def _forbidden(status: int, kind: RequestKind) -> ProviderError:
    match kind:
        case RequestKind.EXAMS if status == 401:  # noqa: PLR2004 - statuses of HTTP
            return ProviderRefused(f"The provider rejects the account code (HTTP {status}). {_STORE_CODE}")
        case RequestKind.EXAMS:
            # Web application firewalls answer 403 too, whatever the code.
            return ProviderRefused(f"The provider refuses to list the exams (HTTP {status}). {_IF_WRONG}", plain=False)
        case RequestKind.RESULTS:
            return ProviderRejected(f"The provider refuses to show the exam's results (HTTP {status}).", plain=False)
        case RequestKind.CANDIDATE:
            return ProviderRejected(f"The provider refuses to show a candidate's results (HTTP {status}).", plain=False)
        case _:
            assert_never(kind)


def _not_the_api(answer: HttpResponse) -> ProviderMalformed | None:
    """Return the error for an answer that does not come from the provider's API; a retry does not help."""
    if answer.truncated:
        problem = "The provider's answer was too long to be data."
    elif answer.status >= 400:  # noqa: PLR2004 - statuses of HTTP
        problem = f"The provider answered HTTP {answer.status}."
    elif answer.status >= 300:  # noqa: PLR2004 - statuses of HTTP
        problem = f"The provider redirects{_redirect_target(answer)} instead of answering."
    else:
        return None
    return ProviderMalformed(f"{problem} {_CHECK_ADDRESS}", retryable=False)


def error_from_text(text: str, kind: RequestKind, code: str, *, stated_code: int | None = None) -> ProviderError:
    """Return the error for an error object with ``text`` and the error number ``stated_code``.

    The provider documents none of its error texts. An unclear text in place of the exam list may be about the account
    code, so it becomes a ProviderRefused that is not ``plain``. The message never quotes ``code``, the account code.
    """
    match meaning_of(text, stated_code):
        case Meaning.TOO_MANY_REQUESTS:
            return ProviderThrottled(_THROTTLED)
        case Meaning.TEMPORARY:
            return ProviderUnavailable("The provider reports a temporary error. The next poll tries again.")
        case Meaning.WRONG_CODE if kind is RequestKind.EXAMS:
            return ProviderRefused(f"The provider rejects the account code{_quoted(text, code)}. {_STORE_CODE}")
        case Meaning.WRONG_CODE | Meaning.UNCLEAR:
            return _unclear(kind, _quoted(text, code))
        case unexpected:
            assert_never(unexpected)


def _unclear(kind: RequestKind, quoted: str) -> ProviderError:
    match kind:
        case RequestKind.EXAMS:
            return ProviderRefused(f"The provider refuses to list the exams{quoted}. {_IF_WRONG}", plain=False)
        case RequestKind.RESULTS:
            return ProviderRejected(f"The provider answers with an error instead of the exam's results{quoted}.")
        case RequestKind.CANDIDATE:
            # Not quoted: a text about a candidate may name the candidate.
            return ProviderRejected("The provider answers with an error instead of a candidate's results.")
        case _:
            assert_never(kind)


def _quoted(text: str, code: str) -> str:
    """Return the provider's text in brackets, without the code, links and anything that looks like a token."""
    shown = html.unescape(_INVALID_REFERENCE.sub("…", text))
    for form in {code, quote(code, safe=""), quote_plus(code), html.unescape(code)}:
        if form:
            shown = re.sub(re.escape(form), "…", shown, flags=re.IGNORECASE)
    shown = _LINK_OR_TOKEN.sub("…", _TAG_OR_CONTROL.sub(" ", shown))
    shown = " ".join(shown.split())[:_MAX_QUOTED_CHARACTERS].rstrip(" .")
    return f" (it says: {shown})" if shown else ""


def _redirect_target(answer: HttpResponse) -> str:
    """Return the scheme and host of a redirect; the rest of the address may repeat the query."""
    try:
        target = urlsplit(answer.headers.get("Location", ""))
    except ValueError:
        return ""
    return f" to {target.scheme}://{target.hostname}" if target.scheme and target.hostname else ""
