"""Writes docs/commands.md from the command line itself: ``python -m tools.generate.commands docs/commands.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from examhook_cli.main import app
from tools.markdown import markdown_table

Command = TyperCommand | TyperGroup

_HEAD = """\
# Commands

`examhook` operates one installation: on AWS with your AWS credentials, or on this machine after `examhook local up`
and `source .local/env`. It prints tables in a terminal, tab-separated lines in a pipe, and one JSON document with
`--json`. Every command has `--help`.

| exit status | meaning |
|---|---|
| 0 | success |
| 1 | failure; standard error says why and what to do |
| 2 | wrong usage |

`python -m tools.generate.commands docs/commands.md` writes this page.
"""


def commands_page() -> str:
    """The page as Markdown."""
    root = _known(get_command(app))
    context = typer.Context(root)
    sections = [
        _HEAD,
        _section("Global options", "Write them before the command: `examhook --stack exams poll`.", root, context),
    ]
    for path, command in leaf_commands(root):
        sections.append(_section(f"`{_usage(path, command, context)}`", _description(command), command, context))
    return "\n".join(sections)


def leaf_commands(command: Command | None = None, path: str = "examhook") -> Iterator[tuple[str, Command]]:
    """Every command below ``command`` (default: all) with its path, such as ``examhook events list``."""
    command = command or _known(get_command(app))
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from leaf_commands(_known(inner), f"{path} {name}")
    else:
        yield path, command


def _known(command: object) -> Command:
    """``command`` with its public type; Typer creates no other commands."""
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"not a command of Typer's: {command!r}")
    return command


def _section(title: str, description: str, command: Command, context: typer.Context) -> str:
    rows = [_row(each, context) for each in command.params if isinstance(each, TyperArgument | TyperOption)]
    table = ["", markdown_table(("", ""), rows)] if rows else []
    return "\n".join([f"## {title}", "", description, *table, ""])


def _usage(path: str, command: Command, context: typer.Context) -> str:
    arguments = [str(each.metavar or each.name) for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if isinstance(each, TyperOption) and each.required]
    return " ".join((path, *arguments, *(f"{each.opts[0]} {_metavar(each, context)}" for each in options)))


def _description(command: Command) -> str:
    """The help of a command: prose, then the example in a code block."""
    prose, _, example = (command.help or "").partition("Example: ")
    paragraphs = [" ".join(paragraph.split()) for paragraph in prose.strip().split("\n\n")]
    return "\n\n".join([*paragraphs, f"```sh\n{' '.join(example.split())}\n```"])


def _row(parameter: TyperArgument | TyperOption, context: typer.Context) -> tuple[str, str]:
    if isinstance(parameter, TyperArgument):
        name = str(parameter.metavar or parameter.name)
    else:
        name = f"{', '.join(parameter.opts)} {_metavar(parameter, context)}".rstrip()
    return f"`{_cell(name)}`", f"{_cell(parameter.help or '')}{_default(parameter)}"


def _metavar(option: TyperOption, context: typer.Context) -> str:
    """Placeholder of the value (``URL``), or the values to choose from."""
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
    Path(sys.argv[1]).write_text(commands_page(), encoding="utf-8")
