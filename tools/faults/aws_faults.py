"""Faults of AWS: microburst, a proxy that knows the AWS protocols, between the functions and the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from examhook_cli.local.emulator import free_port
from tools.processes import PROJECT, answers, running_server

_PYTHON = PROJECT / ".venv-faults" / "bin" / "python"
_TIMEOUT_S = 10

Rule = Mapping[str, object]
"""A rule of microburst's control API."""


@dataclass(frozen=True, slots=True)
class AwsFaults:
    """The running proxy."""

    url: str
    """Endpoint URL for AWS clients."""

    def set(self, rules: Sequence[Rule]) -> None:
        """Replace all faults by these."""
        answer = requests.post(f"{self.url}/_microburst/rules", data=json.dumps(rules), timeout=_TIMEOUT_S)
        answer.raise_for_status()
        assert len(answer.json()) == len(rules), answer.text  # noqa: S101 - a dropped rule would prove nothing

    def count(self) -> int:
        """Return the number of faults since the start."""
        answer = requests.get(f"{self.url}/_microburst/stats", timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return int(answer.json()["requests"]["faulted"])


@contextmanager
def running_aws_faults(upstream: str, log: Path) -> Iterator[AwsFaults]:
    """Run the proxy in front of ``upstream``, without faults at first, until the ``with`` block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["--upstream", upstream, "--port", str(port), "--no-resign"]
    argv = [str(_PYTHON), "-m", "tools.faults.proxy", *options]
    with running_server(argv, lambda: answers(f"{url}/_microburst/health"), log=log):
        yield AwsFaults(url)
