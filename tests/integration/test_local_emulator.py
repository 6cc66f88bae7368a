"""A running emulator is found again; an ended one is ignored, and another program is never confused with it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examhook_cli.errors import EmulatorError, NotUpError, PortInUseError
from examhook_cli.local.emulator import Emulator, free_port, running_emulator, start_emulator, stop_emulator
from examhook_cli.local.environment import LocalPaths
from examhook_cli.local.local_stack import running_stack, start_stack, stop_stack
from examhook_cli.local.parameters import LocalOptions

SLEEPER = "import time; print(flush=True); time.sleep(600)"
PARENT = f"""
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", {SLEEPER!r}], stdout=subprocess.DEVNULL).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def environment(tmp_path: Path) -> LocalPaths:
    state = tmp_path / "state"
    state.mkdir()
    return LocalPaths(tmp_path / "project", state)


@contextmanager
def running(*more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A harmless program with ``more`` on its command line."""
    arguments = [sys.executable, "-c", SLEEPER, *more]
    with subprocess.Popen(arguments, start_new_session=True, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture
def program() -> Iterator[subprocess.Popen[bytes]]:
    """A program whose command line looks like the emulator's."""
    with running("ministack") as process:
        yield process


def note(environment: LocalPaths, pid: int) -> None:
    environment.process_file.write_text(json.dumps({"pid": pid, "port": 4567}))


def fake_emulator(environment: LocalPaths, script: str) -> None:
    """Replace the emulator's Python by a script."""
    python = environment.project / ".venv-emulator" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


def test_a_running_emulator_is_found_again_and_stopped(
    environment: LocalPaths, program: subprocess.Popen[bytes]
) -> None:
    note(environment, program.pid)
    assert running_emulator(environment) == Emulator(program.pid, 4567)
    assert stop_stack(environment)
    assert program.poll() is not None or program.wait(timeout=5) is not None
    assert not environment.state.exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x", "port": 1}'])
def test_an_invalid_process_file_means_that_nothing_runs(environment: LocalPaths, text: str) -> None:
    environment.process_file.write_text(text)
    assert running_emulator(environment) is None


def test_the_record_of_a_dead_process_is_deleted(environment: LocalPaths, program: subprocess.Popen[bytes]) -> None:
    note(environment, program.pid)
    program.kill()
    program.wait()
    assert running_emulator(environment) is None
    assert not environment.process_file.exists()


def test_another_program_with_the_same_process_id_is_not_stopped(environment: LocalPaths) -> None:
    with running("something-else") as other:
        note(environment, other.pid)
        assert running_emulator(environment) is None
        assert stop_stack(environment) is False
        assert other.poll() is None


def test_a_port_in_use_is_rejected_with_advice(environment: LocalPaths) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"Port {port} is in use: .* --port"):
            start_emulator(environment, os.environ, port)


def test_an_emulator_that_dies_at_once_is_reported_with_its_log(environment: LocalPaths) -> None:
    fake_emulator(environment, "echo no such luck; exit 3")
    with pytest.raises(EmulatorError, match=r"did not start: see .*emulator\.log"):
        start_emulator(environment, os.environ, free_port())
    assert environment.emulator_log.read_text() == "no such luck\n"
    assert not environment.process_file.exists()


def test_a_stack_that_cannot_be_packaged_leaves_no_emulator_running(environment: LocalPaths) -> None:
    """The emulator starts, but sam is missing, so the emulator is stopped again."""
    answering = (
        "from http.server import *\n"
        "class Health(BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200); self.end_headers()\n"
        "import os; HTTPServer(('127.0.0.1', int(os.environ['GATEWAY_PORT'])), Health).serve_forever()"
    )
    script = environment.project / "ministack.py"
    fake_emulator(environment, f"exec {sys.executable} {script}")
    script.write_text(answering)
    noted: list[int] = []

    def progress(_what: str) -> NoProgress:
        found = running_emulator(environment)
        noted.extend([found.pid] if found else [])
        return NoProgress()

    options = LocalOptions(base_url="http://127.0.0.1:1", account_code="c0de")
    with pytest.raises(Exception, match="is not set up: run make install"):
        start_stack(environment, os.environ, options, free_port(), progress)
    assert noted
    assert running_emulator(environment) is None
    with pytest.raises(ProcessLookupError):
        os.kill(noted[0], 0)


def test_down_keeps_foreign_files(environment: LocalPaths) -> None:
    own, other = environment.stack_file, environment.state / "thesis.txt"
    own.write_text("{}")
    other.write_text("precious")
    assert stop_stack(environment)
    assert not own.exists()
    assert other.read_text() == "precious"


def test_down_without_a_stack_reports_it(environment: LocalPaths) -> None:
    assert not stop_stack(environment)


def test_another_port_for_a_running_stack_is_rejected(
    environment: LocalPaths, program: subprocess.Popen[bytes]
) -> None:
    note(environment, program.pid)
    options = LocalOptions(base_url="http://127.0.0.1:1", account_code="c0de")
    with pytest.raises(PortInUseError, match="up on port 4567: stop it with examhook local down"):
        start_stack(environment, os.environ, options, 4568, lambda _what: NoProgress())


def test_logs_without_a_stack_say_how_to_start_one(environment: LocalPaths) -> None:
    with pytest.raises(NotUpError, match="examhook local up"):
        running_stack(environment)


def test_stopping_also_stops_the_functions(environment: LocalPaths) -> None:
    """The emulator's children are in its process group and end with it."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        stop_emulator(environment, Emulator(parent.pid, 4567))
    give_up_at = time.monotonic() + 10
    while not has_ended(child):
        assert time.monotonic() < give_up_at, "the function still runs 10 s after the emulator"
        time.sleep(0.01)


def has_ended(pid: int) -> bool:
    """Whether a process ended, also if nobody waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class NoProgress:
    """Shows nothing."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None
