"""Every command line that the README and the pages under docs/ show is one that the program takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from examhook_cli.main import app
from examhook_simulator.server import DEFAULT_CODE

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:\.venv/bin/)?examhook [^`]+)`")
MODULE = re.compile(r"python -m ([a-z_.]+)")
STARTS = re.compile(r"^(?:\.venv/bin/)?examhook ")


def command_lines(page: Path) -> Iterator[str]:
    """What a page shows, without what the shell does with it."""
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if STARTS.match(line.strip()):
                yield re.split(r"\s+(?:#|&|\||>)", line.strip())[0]
    yield from (line.replace("\n", " ") for line in INLINE.findall(BLOCK.sub("", text)))


@cache
def all_commands() -> Any:
    """The program's commands; making them takes a while."""
    return get_command(app)


def problem_with(line: str) -> str | None:
    """What the program would not know of a command line."""
    words = shlex.split(line.replace("…", "x"))[1:]
    command = all_commands()
    while (commands := getattr(command, "commands", None)) and words and not words[0].startswith("-"):
        found = commands.get(words.pop(0).split("/")[0])
        if found is None:
            return f"no such command: {line}"
        command = found
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = {word.split("=")[0] for word in words if word.startswith("--")} - options - {"--help"}
    return f"no such option: {', '.join(sorted(unknown))} in {line}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_it_takes_every_command_line(page: Path) -> None:
    assert [problem for line in command_lines(page) if (problem := problem_with(line))] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "Makefile"], ids=lambda page: page.name)
def test_every_module_that_a_page_runs_exists(page: Path) -> None:
    modules = MODULE.findall(page.read_text(encoding="utf-8"))
    assert [module for module in modules if find_spec(module) is None] == []


def test_a_line_that_it_does_not_take_is_noticed() -> None:
    assert problem_with("examhook endpoints add https://example.com/ --types submission.forced --test") is None
    assert problem_with("examhook endpoints ad https://example.com/")
    assert problem_with("examhook endpoints add https://example.com/ --typ submission.forced")


def test_the_local_stack_speaks_the_code_that_the_simulated_provider_wants() -> None:
    lines = list(command_lines(ROOT / "README.md"))
    assert len(lines) > 20
    simulated = [line for line in lines if " simulate " in line]
    ups = [line for line in lines if " local up " in line]
    assert simulated
    assert "--code" not in simulated[0]
    assert [re.search(r"--code (\S+)", line).group(1) for line in ups] == [DEFAULT_CODE] * len(ups)  # type: ignore[union-attr]
