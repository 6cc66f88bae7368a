"""Servers that run in a separate process while a benchmark or a fault test needs them.

::

    ServerStartError    the server did not answer in time, or ended; its log says why
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parents[1]

_START_S = 60
_STOP_S = 3
_CHECK_EVERY_S = 0.1
_LOG_CHARACTERS = 2000


class ServerStartError(RuntimeError):
    """The server did not start."""


@contextmanager
def running_server(  # noqa: PLR0913 - each describes the process
    argv: Sequence[str],
    is_ready: Callable[[], bool],
    *,
    cwd: Path = PROJECT,
    environ: Mapping[str, str] | None = None,
    log: Path = Path(os.devnull),
    start_s: float = _START_S,
) -> Iterator[None]:
    """Run a server until the ``with`` block ends, and wait until ``is_ready``; raises ServerStartError."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - programs of this project with fixed arguments
            argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        give_up_at_s = time.monotonic() + start_s
        while process.poll() is None and time.monotonic() < give_up_at_s:
            if is_ready():
                break
            time.sleep(_CHECK_EVERY_S)
        else:
            written = log.read_text(errors="replace")[-_LOG_CHARACTERS:]
            raise ServerStartError(f"{argv[0]} did not start within {start_s} s.\n{written}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    """Whether ``url`` answers a request with success."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=2).ok
        except requests.RequestException:
            return False


def is_listening(port: int) -> bool:
    """Whether a process listens on ``port`` of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
