"""Decides what follows from the result of an attempt: delivered, retry, disable the endpoint, or give up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from examhook.delivery.chat_responses import chat_refusal_reason, chat_retry_after_s, is_gone
from examhook.delivery.endpoint import BodyFormat
from examhook.delivery.record import SendOutcome, SendResult
from examhook.delivery.schedule import MAX_ATTEMPTS, MAX_RETRY_AFTER_S, delay_before_s


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver accepted the event."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed; another one follows."""

    reason: str
    at: int
    """Time of the next attempt, Unix seconds."""
    not_before: int | None = None
    """Earliest time that the receiver allows (Unix seconds); it still applies if the endpoint recovers before."""


@dataclass(frozen=True, slots=True)
class DisableEndpoint:
    """The receiver asked for no further events. The delivery is kept and sent if the endpoint is enabled again."""

    reason: str
    at: int | None
    """Time of the next attempt, Unix seconds; None after the last attempt."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The last attempt failed."""

    reason: str


Decision = Delivered | Retry | DisableEndpoint | GiveUp

_ERROR_REASONS = {
    SendOutcome.TIMED_OUT: "no complete response within the deadline",
    SendOutcome.NAME_NOT_FOUND: "the lookup of its host name failed",
    SendOutcome.UNREACHABLE: "the connection failed or was closed",
    SendOutcome.TLS_FAILED: "TLS failed: its certificate is not valid for its host name",
    SendOutcome.BROKEN_RESPONSE: "its response is incomplete or malformed",
    SendOutcome.ADDRESS_REFUSED: "webhooks to its address are not allowed",
}


def decide(  # noqa: PLR0913 - a pure rule gets everything that it depends on
    result: SendResult,
    attempt: int,
    now: int,
    rng: random.Random,
    max_attempts: int = MAX_ATTEMPTS,
    *,
    body_format: BodyFormat = BodyFormat.CLOUDEVENTS,
) -> Decision:
    """The decision after attempt ``attempt`` (starts at 1) ended at ``now`` (Unix seconds) with ``result``."""
    reason = reason_of(result, body_format)
    if is_success(result):
        return Delivered(reason)
    delay_s = delay_before_s(attempt + 1, rng) if attempt < max_attempts else None
    requested_s = retry_after_s(result.retry_after, now)
    if requested_s is None:
        requested_s = chat_retry_after_s(body_format, result)
    not_before = now + min(requested_s, MAX_RETRY_AFTER_S) if requested_s is not None else None
    at = None if delay_s is None else max(now + delay_s, not_before or 0)
    if result.http_status == HTTPStatus.GONE or is_gone(body_format, result):
        return DisableEndpoint(reason, at)
    if at is None:
        return GiveUp(f"{reason}; that was the last attempt")
    return Retry(reason, at, not_before)


def is_success(result: SendResult) -> bool:
    """Whether the status is 2xx, even if the rest of the response is broken."""
    return result.http_status is not None and HTTPStatus(200) <= result.http_status < HTTPStatus.MULTIPLE_CHOICES


def reason_of(result: SendResult, body_format: BodyFormat = BodyFormat.CLOUDEVENTS) -> str:
    """The result as text for operators, without any text from the response body."""
    if (status := result.http_status) is None:
        return result.detail or _ERROR_REASONS.get(result.outcome, "no response")
    answered = f"answered {status}{_phrase(status)}{_advice(status, result, body_format)}"
    return answered if result.detail is None else f"{answered} ({result.detail.rstrip('.')})"


def _advice(status: int, result: SendResult, body_format: BodyFormat) -> str:
    if (refusal := chat_refusal_reason(body_format, result)) is not None:
        return f": {refusal}"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ", a redirect, which Examhook does not follow: change the endpoint's URL to the final one"
    if status == HTTPStatus.GONE:
        return ", a request to stop sending"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return (
            ": check that the receiver verifies with this endpoint's secret, that its clock is correct, and that "
            "its URL requires neither a login nor a CSRF token"
        )
    return ""


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def retry_after_s(header: str | None, now: int) -> int | None:
    """Seconds from ``now`` to the time in a ``Retry-After`` header; None if it is absent, invalid or in the past.

    Accepts both forms of RFC 9110, section 10.2.3: seconds and an HTTP date.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        # 18 digits are far beyond MAX_RETRY_AFTER_S; Python cannot convert numbers of thousands of digits.
        return int(text[:18])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()) - now
    return seconds if seconds > 0 else None
