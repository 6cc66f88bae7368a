"""The local stack of the demo, operated with the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from boto3 import Session

from examhook_cli.local.emulator import free_port
from examhook_cli.local.environment import shell_variables
from examhook_cli.stack import DEFAULT_STACK_NAME, Stack, read_stack

_COMMAND_TIMEOUT_S = 600


class CommandFailedError(Exception):
    """A command of the demo failed; the message is its output."""


@dataclass(frozen=True, slots=True)
class DemoStack:
    """A local stack with its own port and state folder, separate from the user's local stack."""

    environ: Mapping[str, str]
    session: Session
    stack: Stack
    secrets_by_url: Mapping[str, str]

    def poll(self, *, full: bool = False) -> Mapping[str, object]:
        """Run one poll and return its report; raises CommandFailedError."""
        report = json.loads(run_command(["poll", "--json", *(["--full"] if full else [])], self.environ))
        if not isinstance(report, dict):
            raise CommandFailedError(f"examhook poll printed {report!r}")
        return report


@contextmanager
def running_demo_stack(base_url: str, code: str, webhook_urls: Sequence[str]) -> Iterator[DemoStack]:
    """Run a stack during the block; raises CommandFailedError."""
    state = Path(tempfile.mkdtemp(prefix="examhook-demo-"))
    port = free_port()
    variables = shell_variables(port)
    environ = {**os.environ, **variables, "EXAMHOOK_LOCAL_DIR": str(state)}
    urls = [option for url in webhook_urls for option in ("--webhook-url", url)]
    try:
        run_command(
            [
                *("local", "up", "--base-url", base_url, "--port", str(port)),
                *("--poll-seconds", "off", "--requests-per-second", "8", *urls),
            ],
            {**environ, "EXAMHOOK_ACCOUNT_CODE": code},
        )
        stack_file = json.loads((state / "stack.json").read_text())
        session = Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        )
        os.environ["AWS_ENDPOINT_URL"] = variables["AWS_ENDPOINT_URL"]
        yield DemoStack(
            environ=environ,
            session=session,
            stack=read_stack(session.client("cloudformation"), DEFAULT_STACK_NAME),
            secrets_by_url={endpoint["url"]: endpoint["secret"] for endpoint in stack_file["endpoints"]},
        )
    finally:
        run_command(["local", "down"], environ)
        shutil.rmtree(state, ignore_errors=True)


def run_command(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run ``examhook`` and return its standard output; raises CommandFailedError."""
    result = subprocess.run(  # noqa: S603 - our own command line, with arguments made here
        [sys.executable, "-m", "examhook_cli.main", *arguments],
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=_COMMAND_TIMEOUT_S,
    )
    if result.returncode:
        output = result.stderr.strip() or result.stdout
        raise CommandFailedError(f"examhook {' '.join(arguments[:2])} failed: {output}")
    return result.stdout
