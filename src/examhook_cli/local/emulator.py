"""Starts and stops the AWS emulator, a background process that outlives the command that starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from examhook_cli.errors import EmulatorError, PortInUseError
from examhook_cli.local.environment import LocalPaths, emulator_variables, endpoint_url

_MODULE = "ministack"
_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 3
_CHECK_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """URL that it listens on."""
        return endpoint_url(self.port)


def running_emulator(paths: LocalPaths) -> Emulator | None:
    """The emulator that an earlier command started, or None. Deletes the record of one that has ended."""
    try:
        record = json.loads(paths.process_file.read_text())
        emulator = Emulator(pid=int(record["pid"]), port=int(record["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # After a reboot, another program may have this process id.
    if _is_alive(emulator.pid) and _MODULE in _command_line(emulator.pid):
        return emulator
    paths.process_file.unlink(missing_ok=True)
    return None


def start_emulator(paths: LocalPaths, environ: Mapping[str, str], port: int) -> Emulator:
    """Start an emulator and wait until it responds; raises PortInUseError, EmulatorError, NotInstalledError."""
    _check_port(port)
    python = paths.program(".venv-emulator", "python")
    paths.temporary.mkdir(parents=True, exist_ok=True)
    with paths.emulator_log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program with fixed arguments
            [str(python), "-m", _MODULE],
            cwd=paths.state,
            env=emulator_variables(environ, port, paths.temporary),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = Emulator(pid=process.pid, port=port)
    paths.process_file.write_text(json.dumps({"pid": emulator.pid, "port": emulator.port}))
    is_ready = _wait(_START_TIMEOUT_S, lambda: process.poll() is not None or _responds(emulator))
    if not is_ready or process.poll() is not None:
        stop_emulator(paths, emulator)
        raise EmulatorError(f"The emulator did not start: see {paths.emulator_log}.")
    # Popen would warn about a process that nobody waits for; this one outlives the command.
    process.returncode = 0
    return emulator


def stop_emulator(paths: LocalPaths, emulator: Emulator) -> None:
    """Stop an emulator and its functions; raises EmulatorError."""
    # The emulator leads a process group that contains the functions. Functions have nothing to save.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(emulator.pid, number)
        if _wait(_STOP_TIMEOUT_S, lambda: not _is_alive(emulator.pid)):
            break
    else:
        raise EmulatorError(f"The emulator did not stop: end process {emulator.pid}.")
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(emulator.pid, signal.SIGKILL)
    paths.process_file.unlink(missing_ok=True)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _check_port(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUseError(
                f"Port {port} is in use: stop the program that uses it, or choose another port with --port."
            ) from error


def _responds(emulator: Emulator) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{emulator.url}/_ministack/health", timeout=2).ok
        except requests.RequestException:
            return False


def _is_alive(pid: int) -> bool:
    # A child of this process stays in the process table until it is waited for.
    with suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _command_line(pid: int) -> str:
    proc_file = Path(f"/proc/{pid}/cmdline")
    if proc_file.exists():
        return proc_file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    result = subprocess.run(  # noqa: S603 - a system program with a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return result.stdout


def _wait(timeout_s: float, condition: Callable[[], bool]) -> bool:
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_CHECK_INTERVAL_S)
    return True
