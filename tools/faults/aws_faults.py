"""Bad weather at AWS: microburst, a proxy that knows AWS's protocols, between the functions and the emulator."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parents[2]
_PYTHON = PROJECT / ".venv-faults" / "bin" / "python"
_START_S = 30
_CALL_S = 10

Rule = Mapping[str, object]
"""A rule as microburst's control API takes it."""


@dataclass(frozen=True, slots=True)
class Weather:
    """The proxy, and which faults it makes."""

    port: int

    @property
    def url(self) -> str:
        """Where the functions find AWS."""
        return f"http://127.0.0.1:{self.port}"

    def set(self, rules: Sequence[Rule]) -> None:
        """Make these faults and no others from now on."""
        answer = requests.post(f"{self.url}/_microburst/rules", data=json.dumps(rules), timeout=_CALL_S)
        answer.raise_for_status()
        assert len(answer.json()) == len(rules), answer.text  # noqa: S101 - a rule that is dropped would prove nothing

    def fired(self) -> int:
        """How many faults were made since the proxy began."""
        answer = requests.get(f"{self.url}/_microburst/stats", timeout=_CALL_S)
        answer.raise_for_status()
        return int(answer.json()["requests"]["faulted"])


@contextmanager
def running_weather(upstream: str, log: Path) -> Iterator[Weather]:
    """The proxy in front of ``upstream``, without faults at first."""
    weather = Weather(_free_port())
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own program and arguments
            [
                str(_PYTHON),
                "-m",
                "tools.faults.proxy",
                "--upstream",
                upstream,
                "--port",
                str(weather.port),
                "--no-resign",
            ],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_answers(weather)
        yield weather
    finally:
        process.terminate()
        process.wait(_START_S)


def _wait_until_it_answers(weather: Weather) -> None:
    give_up_at = time.monotonic() + _START_S
    while True:
        try:
            requests.get(f"{weather.url}/_microburst/health", timeout=1)
        except requests.RequestException:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
