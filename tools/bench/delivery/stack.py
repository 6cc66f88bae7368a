"""The whole local stack, as ``examhook local up`` deploys it, for the length of a ``with`` block.

::

    StackFailedError    it could not be deployed; what the command said is in the message
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from boto3 import Session
from botocore.config import Config

from examhook.storage.submissions import SubmissionsTable
from examhook_cli.local.environment import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, endpoint_url
from tools.bench.json_process import PROJECT

_TIMEOUT_S = 600
_PARALLEL = 50


class StackFailedError(RuntimeError):
    """The local stack is not up."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is up."""

    outputs: Mapping[str, str]
    submissions: SubmissionsTable


@dataclass(frozen=True, slots=True)
class Watched:
    """What a stack polls."""

    base_url: str = "http://127.0.0.1:9"
    code: str = "bench"
    every: str = "off"
    """``--poll-seconds`` of ``examhook local up``."""


@contextmanager
def running_stack(webhook_urls: Sequence[str], watched: Watched | None = None) -> Iterator[Stack]:
    """A stack with these webhooks that polls nobody unless told whom; raises StackFailedError."""
    watched = watched or Watched()
    with tempfile.TemporaryDirectory(prefix="examhook-bench-") as folder:
        state, port = Path(folder) / "state", _free_port()
        options = ["--base-url", watched.base_url, "--poll-seconds", watched.every, "--port", str(port)]
        urls = [option for url in webhook_urls for option in ("--webhook-url", url)]
        try:
            _examhook(state, watched.code, "up", *options, *urls)
            outputs = json.loads((state / "stack.json").read_text(encoding="utf-8"))["outputs"]
            session = Session(
                aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
            )
            dynamodb = session.client(
                "dynamodb", endpoint_url=endpoint_url(port), config=Config(max_pool_connections=_PARALLEL)
            )
            yield Stack(outputs, SubmissionsTable(dynamodb, outputs["SubmissionsTableName"]))
        finally:
            _examhook(state, watched.code, "down")


def _examhook(state: Path, code: str, *args: str) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EXAMHOOK_"))}
    done = subprocess.run(  # noqa: S603 - our own program
        [str(Path(sys.executable).with_name("examhook")), "local", *args],
        env={**own, "EXAMHOOK_LOCAL_DIR": str(state), "EXAMHOOK_ACCOUNT_CODE": code},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise StackFailedError(done.stderr + done.stdout)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
