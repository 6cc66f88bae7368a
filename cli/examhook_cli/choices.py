"""Reading what a person typed: lists, event types and times. What cannot be read is wrong usage (exit status 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from examhook.delivery.endpoint import unknown_patterns

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
