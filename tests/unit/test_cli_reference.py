"""docs/commands.md says what the commands are, and the commands are those that people script."""

from __future__ import annotations

from pathlib import Path

from tools.generate.commands import commands, reference

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_what_the_commands_make_of_it() -> None:
    """Otherwise: python -m tools.generate.commands docs/commands.md."""
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_the_commands_that_people_script_are_there() -> None:
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
    assert names <= set(commands())
