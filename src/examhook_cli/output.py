"""What commands print: tables and colour on a terminal, plain lines with tabs in a pipe, JSON where it was asked for.

Names, titles and answers come from other people's systems, so no control character of theirs
reaches the terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

# C0, DEL and C1 (terminals obey them), the bidirectional overrides (they turn a line around), and lone surrogates
# (they cannot be written at all).
_UNPRINTABLE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNPRINTABLE = re.compile(f"[\x00-\x1f]|{_UNPRINTABLE_IN_JSON.pattern}")


def console() -> Console:
    """Standard output. Made at each use, so that it follows whatever stands there now."""
    return Console(highlight=False, soft_wrap=True)


def error_console() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    r"""``text`` with each character that a terminal would obey written out, as ``\\x1b``."""
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def printable_json(document: str) -> str:
    """JSON, the same, with what a terminal would obey escaped: it stands in strings only."""
    return _UNPRINTABLE_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", document)


def say(text: str, style: str = "") -> None:
    """One line to standard output."""
    console().print(Text(printable(text), style=style))


def complain(text: str) -> None:
    """One line to standard error, in red on a terminal."""
    error_console().print(Text(printable(text), style="red"))


def hint(text: str) -> None:
    """One line to standard error for the person watching, apart from the result."""
    error_console().print(Text(printable(text), style="dim"))


def print_json(document: object, indent: int | None = None) -> None:
    """One JSON document to standard output: indented by ``indent``, or on a terminal; else on one line."""
    if indent is None and console().is_terminal:
        indent = 2
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    print(printable_json(text))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    """``rows`` under their ``columns``; ``nothing`` is said (on standard error) where there are none."""
    if not rows:
        hint(nothing)
        return
    out = console()
    if not out.is_terminal:
        for row in [[column.upper() for column in columns], *rows]:
            print("\t".join(printable(cell) for cell in row))
        return
    lines = _aligned([[printable(cell) for cell in row] for row in (columns, *rows)])
    for number, line in enumerate(lines):
        out.print(Text(line, style="" if number else "bold"))


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A line for each row, columns below each other; never cut or folded, so that ids can be copied."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def print_facts(facts: Mapping[str, str]) -> None:
    """Names and values of one thing, a line each; empty values are left out."""
    out = console()
    shown = {name: value for name, value in facts.items() if value}
    if not out.is_terminal:
        for name, value in shown.items():
            print(f"{name}\t{printable(value)}")
        return
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        out.print(Text.assemble((name.ljust(width), "bold"), "  ", printable(value)))


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that ``what`` is under way; nothing in a pipe."""
    err = error_console()
    if not err.is_terminal:
        yield
        return
    with err.status(printable(what)):
        yield


@contextmanager
def progress(what: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show on a terminal how far ``what`` has come out of ``total``; nothing in a pipe.

    What is yielded takes how far it has come.
    """
    err = error_console()
    if not err.is_terminal:
        yield lambda _done: None
        return
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(printable(what), total=max(total, 1))
        yield lambda done: bar.update(task, completed=done)


def time_text(at: int | None) -> str:
    """Unix seconds as RFC 3339 in UTC (``2026-05-03T14:02:00Z``); empty for None."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_text(at: float) -> str:
    """Unix seconds as the time of day where the person sits (``14:02:11``)."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")
