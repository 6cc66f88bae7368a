"""The commands that people script exist, their help is short and has an example, and docs/commands.md is current."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from examhook_cli.main import app
from tools.generate.commands import commands_page, leaf_commands

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
COMMANDS = dict(leaf_commands())
GROUPS = ["", "endpoints", "events", "deliveries", "local"]


def test_the_page_is_current() -> None:
    """If this fails, run python -m tools.generate.commands docs/commands.md."""
    assert PAGE.read_text(encoding="utf-8") == commands_page()


def test_the_commands_that_people_script_exist() -> None:
    wanted = {
        "poll": [""],
        "endpoints": ["add", "list", "show", "remove", "test"],
        "events": ["list", "show"],
        "deliveries": ["list", "show"],
        "local": ["up", "down", "logs"],
        "listen": [""],
        "simulate": [""],
    }
    names = {f"examhook {group} {name}".rstrip() for group, inner in wanted.items() for name in inner}
    assert names <= COMMANDS.keys()


@pytest.mark.parametrize("path", COMMANDS)
def test_the_help_is_one_short_line_and_an_example(path: str) -> None:
    first, *rest = (COMMANDS[path].help or "").split("\n\n")
    assert len(first) <= 60
    assert "\n" not in first
    assert rest[-1].startswith(f"Example: {path}")


@pytest.mark.parametrize("rich_markup_mode", ["rich", None], ids=["terminal", "pipe"])
@pytest.mark.parametrize("group", GROUPS)
def test_no_command_list_is_truncated_at_80_columns(
    group: str, rich_markup_mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "rich_markup_mode", rich_markup_mode)
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(app, [*group.split(), "--help"]).stdout
    inner = get_command(app)
    for name in group.split():
        inner = inner.commands[name]  # type: ignore[attr-defined]
    for command in inner.commands.values():  # type: ignore[attr-defined]
        assert command.help.split("\n\n")[0].removesuffix(".") in shown
