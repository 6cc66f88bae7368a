"""Writes docs/commands.md from the commands themselves: ``python -m tools.generate.commands docs/commands.md``.

A test compares the page with what this makes, so that the two stay in step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from examhook_cli.main import app

Command = TyperCommand | TyperGroup

_HEAD = """\
# Commands

`examhook` speaks to one installation: on AWS by your ordinary AWS credentials, or on this machine after
`examhook local up` and `source .local/env`. In a terminal it prints tables, in a pipe lines with tabs between
the fields, and with `--json` one JSON document. Every command has `--help`.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | failed; one sentence on standard error says why and what to do |
| 2 | wrong usage |

This page is made from the commands by `python -m tools.generate.commands docs/commands.md`.
"""


def reference() -> str:
    """The page, as Markdown."""
    root = _known(get_command(app))
    context = typer.Context(root)
    sections = [
        _HEAD,
        _section("Global options", "Before the command, as in `examhook --stack exams poll`.", root, context),
    ]
    for path, command in _commands(root, ("examhook",)):
        sections.append(_section(f"`{_usage(path, command, context)}`", _prose(command), command, context))
    return "\n".join(sections)


def commands() -> list[str]:
    """Every command by its words, as ``examhook events list``."""
    return [" ".join(path) for path, _ in _commands(_known(get_command(app)), ("examhook",))]


def _commands(command: Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Command]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _commands(_known(inner), (*path, name))
    else:
        yield path, command


def _known(command: object) -> Command:
    """``command`` as one of Typer's two public kinds; all that Typer makes are."""
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"not a command of Typer's: {command!r}")
    return command


def _section(title: str, prose: str, command: Command, context: typer.Context) -> str:
    rows = [_row(each, context) for each in command.params if isinstance(each, TyperArgument | TyperOption)]
    table = ["", "| | |", "|---|---|", *rows] if rows else []
    return "\n".join([f"## {title}", "", prose, *table, ""])


def _usage(path: tuple[str, ...], command: Command, context: typer.Context) -> str:
    arguments = [each.metavar or each.name for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if isinstance(each, TyperOption) and each.required]
    return " ".join((*path, *arguments, *(f"{each.opts[0]} {_metavar(each, context)}" for each in options)))


def _prose(command: Command) -> str:
    return " ".join((command.help or "").split())


def _row(parameter: TyperArgument | TyperOption, context: typer.Context) -> str:
    if isinstance(parameter, TyperArgument):
        name = parameter.metavar or parameter.name
    else:
        name = f"{', '.join(parameter.opts)} {_metavar(parameter, context)}".rstrip()
    return f"| `{_cell(name)}` | {_cell(parameter.help or '')}{_default(parameter)} |"


def _metavar(option: TyperOption, context: typer.Context) -> str:
    """What stands after an option: ``URL``, or the words to choose from."""
    if option.is_flag:
        return ""
    return option.metavar or option.display_type(context).strip("<>").removeprefix("list[").removesuffix("]")


def _default(parameter: TyperArgument | TyperOption) -> str:
    default = parameter.default
    if parameter.required or default in (None, "", False) or callable(default):
        return ""
    return f" Default: `{getattr(default, 'value', default)}`."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
