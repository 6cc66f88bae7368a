"""What an attempt's result means for its delivery and its endpoint: decided here, acted on elsewhere."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from examhook.delivery.endpoint import BodyFormat
from examhook.delivery.formats.answers import asked_wait_s, is_gone, why_refused
from examhook.delivery.record import SendOutcome, SendResult
from examhook.delivery.schedule import MAX_ATTEMPTS, MAX_RETRY_AFTER_S, delay_before_s


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""

    reason: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It failed, and there is another attempt."""

    reason: str
    at: int
    """When, Unix seconds."""
    not_before: int | None = None
    """The receiver asked for nothing before this; no recovery brings the attempt forward beyond it."""


@dataclass(frozen=True, slots=True)
class Disable:
    """The receiver asked never to be sent anything again; the delivery is kept for the day someone enables it."""

    reason: str
    at: int | None
    """When the delivery would be tried next; None after its last attempt."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The last attempt failed."""

    reason: str


Decision = Delivered | TryAgain | Disable | GiveUp

_WITHOUT_ANSWER = {
    SendOutcome.TIMED_OUT: "no complete answer within the deadline",
    SendOutcome.NAME_NOT_FOUND: "its host name could not be looked up",
    SendOutcome.UNREACHABLE: "the connection failed or was cut",
    SendOutcome.TLS_FAILED: "TLS failed: its certificate is not valid for its name",
    SendOutcome.BROKEN_ANSWER: "its answer is broken or cut off",
    SendOutcome.ADDRESS_REFUSED: "its address is not one that webhooks may be sent to",
}


def decide(  # noqa: PLR0913 - the result, and all that it is judged by
    result: SendResult,
    attempt: int,
    now: int,
    rng: random.Random,
    max_attempts: int = MAX_ATTEMPTS,
    *,
    body_format: BodyFormat = BodyFormat.CLOUDEVENTS,
) -> Decision:
    """What to do after attempt ``attempt`` (from 1) ended at ``now`` (Unix seconds) with ``result``."""
    reason = reason_of(result, body_format)
    if is_success(result):
        return Delivered(reason)
    delay_s = delay_before_s(attempt + 1, rng) if attempt < max_attempts else None
    asked_s = retry_after_s(result.retry_after, now)
    if asked_s is None:
        asked_s = asked_wait_s(body_format, result)
    not_before = now + min(asked_s, MAX_RETRY_AFTER_S) if asked_s is not None else None
    at = None if delay_s is None else max(now + delay_s, not_before or 0)
    if result.http_status == HTTPStatus.GONE or is_gone(body_format, result):
        return Disable(reason, at)
    if at is None:
        return GiveUp(f"{reason}; that was the last attempt")
    return TryAgain(reason, at, not_before)


def is_success(result: SendResult) -> bool:
    """Whether the receiver took the event: any 2xx, whatever follows its status line."""
    return result.http_status is not None and HTTPStatus(200) <= result.http_status < HTTPStatus.MULTIPLE_CHOICES


def reason_of(result: SendResult, body_format: BodyFormat = BodyFormat.CLOUDEVENTS) -> str:
    """The result in words that a person understands, with nothing in it that came from the receiver's body."""
    if (status := result.http_status) is None:
        return result.detail or _WITHOUT_ANSWER.get(result.outcome, "no answer")
    said = f"answered {status}{_phrase(status)}{_advice(status, result, body_format)}"
    return said if result.detail is None else f"{said} ({result.detail.rstrip('.')})"


def _advice(status: int, result: SendResult, body_format: BodyFormat) -> str:
    if (refusal := why_refused(body_format, result)) is not None:
        return f": {refusal}"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ", a redirect, which is never followed: give the endpoint its final address"
    if status == HTTPStatus.GONE:
        return ", which asks to be sent nothing more"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return (
            ": check that the receiver verifies with this endpoint's secret, that its clock is right, and that "
            "neither a login nor protection against CSRF guards its address"
        )
    return ""


def retry_after_s(header: str | None, now: int) -> int | None:
    """Seconds that a ``Retry-After`` asks for, from ``now``; None if it is absent, in the past or makes no sense.

    Both forms of RFC 9110, section 10.2.3: seconds, or an HTTP date.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        # Longer numbers are beyond the cap anyway, and beyond what some of them could be turned into.
        return int(text[:18])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) - now
    return seconds if seconds > 0 else None


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
