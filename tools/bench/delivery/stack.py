"""The local stack, as ``examhook local up`` deploys it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.config import Config

from examhook.storage.submissions import SubmissionsTable
from examhook_cli.demo.demo_stack import run_command
from examhook_cli.local.emulator import free_port
from examhook_cli.local.environment import endpoint_url
from tools.bench.cloud import SESSION

_CONNECTIONS = 50


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    submissions: SubmissionsTable


@contextmanager
def running_stack(
    webhook_urls: Sequence[str],
    base_url: str = "http://127.0.0.1:9",
    code: str = "bench",
    poll_seconds: str = "off",
) -> Iterator[Stack]:
    """Run a stack until the ``with`` block ends. By default it polls no provider. Raises CommandFailedError."""
    with tempfile.TemporaryDirectory(prefix="examhook-bench-") as folder:
        state, port = Path(folder) / "state", free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EXAMHOOK_"))}
        environ = {**inherited, "EXAMHOOK_LOCAL_DIR": str(state), "EXAMHOOK_ACCOUNT_CODE": code}
        options = ["--base-url", base_url, "--poll-seconds", poll_seconds, "--port", str(port)]
        urls = [option for url in webhook_urls for option in ("--webhook-url", url)]
        try:
            run_command(["local", "up", *options, *urls], environ)
            outputs = json.loads((state / "stack.json").read_text(encoding="utf-8"))["outputs"]
            dynamodb = SESSION.client(
                "dynamodb", endpoint_url=endpoint_url(port), config=Config(max_pool_connections=_CONNECTIONS)
            )
            yield Stack(SubmissionsTable(dynamodb, outputs["SubmissionsTableName"]))
        finally:
            run_command(["local", "down"], environ)
