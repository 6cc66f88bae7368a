"""Reading what a person typed: lists, event types and times. What cannot be read is wrong usage (exit status 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from examhook.delivery.endpoint import unknown_patterns
from examhook.delivery.headers import BadHeaderError, check_headers

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")


def split_list(given: Sequence[str] | None) -> tuple[str, ...]:
    """``["a,b", "c"]`` as ``("a", "b", "c")``: an option may be repeated, or hold several with commas."""
    parts = (part.strip() for text in given or () for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def type_patterns(given: Sequence[str] | None, known: Sequence[str], option: str) -> tuple[str, ...]:
    """Types of events or patterns such as ``submission.*``; raises BadParameter for one that names no known type."""
    patterns = split_list(given)
    unknown = unknown_patterns(patterns, known)
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown)}: no such type of event; there are {', '.join(known)}", param_hint=option
        )
    return patterns


def span_s(text: str, at_most_s: int, option: str) -> int:
    """Seconds of a span (``0``, ``90m``, ``24h``, ``7d``) up to ``at_most_s``; raises BadParameter."""
    span = _SPAN.fullmatch(text)
    seconds = int(span.group(1)) * _SECONDS[span.group(2)] if span else 0
    if (span is None and text != "0") or seconds > at_most_s:
        raise typer.BadParameter(
            f"write how long, such as 0, 90m, 24h or 7d, and at most {at_most_s // 86_400}d", param_hint=option
        )
    return seconds


def header_map(given: Sequence[str] | None, option: str = "--header") -> dict[str, str]:
    """``["Name: value"]`` as ``{"Name": "value"}``; an empty text stands for no header. Raises BadParameter."""
    headers: dict[str, str] = {}
    for text in given or ():
        if not text:
            continue
        name, colon, value = text.partition(":")
        if not colon:
            raise typer.BadParameter("write a header as 'Name: value'", param_hint=option)
        if name.strip() in headers:
            raise typer.BadParameter(f"{name.strip()} is given twice", param_hint=option)
        headers[name.strip()] = value.strip()
    try:
        check_headers(headers)
    except BadHeaderError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    return headers


def since_time(text: str, now: float, option: str = "--since") -> int:
    """Unix seconds of a time (``2026-05-03T14:02:00Z``), a day, or so long ago (``2h``, ``3d``).

    A time that names no zone is in UTC. Raises BadParameter.
    """
    span = _SPAN.fullmatch(text)
    if span:
        return max(0, int(now) - int(span.group(1)) * _SECONDS[span.group(2)])
    try:
        at = datetime.fromisoformat(text)
        return max(0, int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            "write a time (2026-05-03T14:02:00Z), a day (2026-05-03), or how long ago (90m, 2h, 3d)",
            param_hint=option,
        ) from None
