"""Options that several commands share, and parsers of option values; a bad value raises BadParameter (status 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from examhook.delivery.custom_headers import BadHeaderError, check_headers
from examhook.delivery.endpoint import unknown_patterns

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AsJsonArray = Annotated[bool, typer.Option("--json", help="Print one JSON array.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")]
EndpointArgument = Annotated[str, typer.Argument(metavar="ID", help="Endpoint id, from endpoints list.")]
AccountOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Account name (default: the stack's own account).")
]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="Maximum number of results.")]

TIME_FORMATS = "2026-05-03T14:02:00Z, 2026-05-03, 90m, 2h or 3d"

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"(\d{1,6})([smhdw])")


def split_list(values: Sequence[str] | None) -> tuple[str, ...]:
    """``["a,b", "c"]`` as ``("a", "b", "c")``: an option accepts repetition and commas."""
    parts = (part.strip() for value in values or () for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def parse_types(values: Sequence[str] | None, known: Sequence[str], option: str) -> tuple[str, ...]:
    """Event types and patterns (``submission.*``) that each match a ``known`` type."""
    patterns = split_list(values)
    unknown = unknown_patterns(patterns, known)
    if unknown:
        raise typer.BadParameter(
            f"unknown event type {', '.join(unknown)}; choose from {', '.join(known)}", param_hint=option
        )
    return patterns


def parse_duration_s(text: str, max_s: int, option: str) -> int:
    """Seconds of a duration (``0``, ``90m``, ``24h``, ``7d``) of at most ``max_s``."""
    match = _DURATION.fullmatch(text)
    seconds = int(match.group(1)) * _UNIT_S[match.group(2)] if match else 0
    if (match is None and text != "0") or seconds > max_s:
        raise typer.BadParameter(
            f"write a duration such as 0, 90m, 24h or 7d, at most {max_s // 86_400}d", param_hint=option
        )
    return seconds


def parse_headers(values: Sequence[str] | None) -> dict[str, str]:
    """``["Name: value"]`` as ``{"Name": "value"}``; skips empty values."""
    headers: dict[str, str] = {}
    for text in filter(None, values or ()):
        name, colon, value = text.partition(":")
        if not colon:
            raise typer.BadParameter("write a header as 'Name: value'", param_hint="--header")
        if name.strip() in headers:
            raise typer.BadParameter(f"{name.strip()} is repeated", param_hint="--header")
        headers[name.strip()] = value.strip()
    try:
        check_headers(headers)
    except BadHeaderError as error:
        raise typer.BadParameter(str(error), param_hint="--header") from None
    return headers


def parse_since(text: str, now: float) -> int:
    """Unix seconds of a time (UTC by default), a day, or a duration ago (``2h``, ``3d``)."""
    match = _DURATION.fullmatch(text)
    if match:
        return max(0, int(now) - int(match.group(1)) * _UNIT_S[match.group(2)])
    try:
        at = datetime.fromisoformat(text)
        return max(0, int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"write a time as {TIME_FORMATS}", param_hint="--since") from None
