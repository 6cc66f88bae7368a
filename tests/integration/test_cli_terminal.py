"""The same program on a terminal: colour and tables there, and no control character of other people's text."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.aws.aws_stand_in import AwsFront, running_aws_front
from tests.support.cli.command_line import CREDENTIALS, NO_AWS, PROGRAM


@pytest.fixture
def front() -> Iterator[AwsFront]:
    with running_aws_front() as front:
        yield front


def on_a_terminal(*args: str, **env: str) -> str:
    """What a terminal is sent while the program runs."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(PROGRAM), *args],
        env={**NO_AWS, "TERM": "xterm-256color", "COLUMNS": "100", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as screen:
            sent = b""
            while chunk := _read(screen.fileno()):
                sent += chunk
        program.wait(timeout=60)
    return sent.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def test_errors_are_red(tmp_path: Path) -> None:
    shown = on_a_terminal("poll", AWS_REGION="eu-central-1", EXAMHOOK_LOCAL_DIR=str(tmp_path))
    assert "\x1b[31mNo AWS credentials found" in shown


def test_no_color_is_respected(tmp_path: Path) -> None:
    shown = on_a_terminal("poll", AWS_REGION="eu-central-1", EXAMHOOK_LOCAL_DIR=str(tmp_path), NO_COLOR="1")
    assert "\x1b[31m" not in shown
    assert "No AWS credentials found" in shown


def test_a_report_is_indented_json_on_a_terminal(front: AwsFront) -> None:
    front.function_answer = (
        b'{"requests":1,"exams":0,"rows":0,"changes":0,"skipped_rows":0,"complete":true,"errors":[]}'
    )
    shown = on_a_terminal("poll", "--json", AWS_ENDPOINT_URL=front.url, **CREDENTIALS)
    assert '{\r\n  "requests": 1,\r\n' in shown


def test_control_characters_in_an_answer_do_not_reach_the_terminal(front: AwsFront) -> None:
    front.function_error = "Unhandled"
    front.function_answer = b'{"errorMessage": "a\\u001b]0;owned\\u0007b"}'
    shown = on_a_terminal("poll", AWS_ENDPOINT_URL=front.url, **CREDENTIALS)
    assert "\x07" not in shown
    assert r"a\x1b]0;owned\x07b" in shown
