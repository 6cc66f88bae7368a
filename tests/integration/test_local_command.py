"""Errors of ``examhook local up`` before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli.command_line import real_examhook

UP = ("local", "up", "--base-url", "http://127.0.0.1:1", "--code", "c0de")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--dialect", "v2"), "--dialect"),
        (("--poll-seconds", "7m"), "or off"),
        (("--poll-seconds", "61"), "whole minutes"),
        (("--base-url", "127.0.0.1:1"), "begins with http"),
        (("--code", "a b"), "--code"),
        (("--code", ""), "--code"),
        (("--webhook-url", "ftp://127.0.0.1/"), "--webhook-url"),
        (("--webhook-url", "http://127.0.0.1/a,b"), "%2C"),
        (("--requests-per-second", "11"), "--requests-per-second"),
        (("--initial-sync", "loud"), "--initial-sync"),
        (("--port", "0"), "--port"),
    ],
)
def test_wrong_usage_exits_with_2_and_names_the_option(tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    state = tmp_path / "state"
    done = real_examhook(*UP, *more, env={"EXAMHOOK_LOCAL_DIR": str(state), "PATH": "/usr/bin:/bin"})
    assert done.exit_code == 2, done.err
    assert said in done.err
    assert not state.exists()


@pytest.mark.parametrize(("command", "exit_code"), [("logs", 1), ("down", 0)])
def test_without_a_local_stack_the_other_commands_report_it(tmp_path: Path, command: str, exit_code: int) -> None:
    done = real_examhook("local", command, env={"EXAMHOOK_LOCAL_DIR": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"})
    assert done.exit_code == exit_code
    assert "not up" in done.out + done.err
