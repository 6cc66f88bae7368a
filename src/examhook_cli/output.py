"""Prints results: tables and colors in a terminal, tab-separated lines in a pipe, and JSON on request.

Control characters in stored or received text never reach the terminal.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

# C0, DEL and C1 control the terminal, bidirectional overrides reverse a line, and lone surrogates cannot be encoded.
_UNPRINTABLE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNPRINTABLE = re.compile(f"[\x00-\x1f]|{_UNPRINTABLE_IN_JSON.pattern}")


def console(*, stderr: bool = False) -> Console:
    """Console of the current standard output or standard error."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    r"""``text`` with control characters escaped (``\\x1b``)."""
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def printable_json(document: str) -> str:
    r"""A JSON document with the control characters in its strings escaped (``\\u009b``)."""
    return _UNPRINTABLE_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", document)


def say(text: str) -> None:
    """Print one line to standard output."""
    console().print(Text(printable(text)))


def complain(text: str) -> None:
    """Print one line to standard error, in red."""
    console(stderr=True).print(Text(printable(text), style="red"))


def hint(text: str) -> None:
    """Print a remark to standard error."""
    console(stderr=True).print(Text(printable(text), style="dim"))


def print_json(document: object, indent: int | None = None) -> None:
    """Print one JSON document, on one line in a pipe unless ``indent`` is set."""
    if indent is None and console().is_terminal:
        indent = 2
    print(printable_json(json.dumps(document, ensure_ascii=False, indent=indent)))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str = "") -> None:
    """Print a table, or ``empty`` to standard error if it has no rows."""
    if not rows:
        hint(empty)
        return
    out = console()
    if not out.is_terminal:
        for row in [[column.upper() for column in columns], *rows]:
            print("\t".join(map(printable, row)))
        return
    for number, line in enumerate(_aligned([list(map(printable, row)) for row in (columns, *rows)])):
        out.print(Text(line, style="" if number else "bold"))


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line per row with aligned columns; cells are never cut or wrapped, so that ids can be copied."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def print_facts(facts: Mapping[str, str]) -> None:
    """Print one line for each name that has a value."""
    out = console()
    shown = {name: value for name, value in facts.items() if value}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        if out.is_terminal:
            out.print(Text.assemble((name.ljust(width), "bold"), "  ", printable(value)))
        else:
            print(f"{name}\t{printable(value)}")


@contextmanager
def waiting(task: str) -> Iterator[None]:
    """Show a spinner while the block runs; nothing in a pipe."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield
        return
    with err.status(printable(task)):
        yield


@contextmanager
def progress(task: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show a progress bar while the block runs; nothing in a pipe.

    Yields a function that takes the completed part of ``total``.
    """
    err = console(stderr=True)
    if not err.is_terminal:
        yield lambda _completed: None
        return
    with Progress(console=err, transient=True) as bar:
        task_id = bar.add_task(printable(task), total=max(total, 1))
        yield lambda completed: bar.update(task_id, completed=completed)


def confirm(question: str, alternative: str = "--yes") -> None:
    """Ask before a change that cannot be undone; raises typer.Abort on no and BadParameter without a terminal."""
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"standard input is not a terminal: add {alternative}", param_hint="--yes")
    typer.confirm(question, abort=True)


def counted(count: int, noun: str, plural: str = "") -> str:
    """``1 exam``, ``2 exams``."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def time_text(at: int | None) -> str:
    """Unix seconds as RFC 3339 in UTC (``2026-05-03T14:02:00Z``); empty for None."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_text(at: float) -> str:
    """Unix seconds as local time of day (``14:02:11``)."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")
