"""Servers that run in a separate process while a benchmark or a fault test needs them.

::

    ServerStartError    the server did not answer in time, or ended; its log says why
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parents[1]

_START_S = 60
_STOP_S = 3
_CHECK_EVERY_S = 0.1


class ServerStartError(RuntimeError):
    """The server did not start."""


@contextmanager
def running_server(
    argv: Sequence[str],
    health_url: str,
    *,
    cwd: Path = PROJECT,
    environ: Mapping[str, str] | None = None,
    log: Path = Path(os.devnull),
) -> Iterator[None]:
    """Run a server until the ``with`` block ends, and wait until ``health_url`` answers; raises ServerStartError."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - programs of this project with fixed arguments
            argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(process, health_url)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str) -> None:
    give_up_at_s = time.monotonic() + _START_S
    with requests.Session() as session:
        session.trust_env = False
        while process.poll() is None and time.monotonic() < give_up_at_s:
            try:
                if session.get(url, timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(_CHECK_EVERY_S)
    raise ServerStartError(f"No answer from {url} within {_START_S} s.")
