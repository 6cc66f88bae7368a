"""Runs ``examhook`` from a test: within the test's process (under moto), or as the real program."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

PROGRAM = Path(sys.executable).with_name("examhook")

NO_AWS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
"""Environment in which nothing of the machine's own AWS settings is found."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-central-1"}


@dataclass(frozen=True)
class Finished:
    """Exit status and output of a run."""

    exit_code: int
    out: str
    err: str

    def json(self) -> object:
        """The one JSON document on standard output."""
        return json.loads(self.out)


def examhook(*args: str, text: str | None = None) -> Finished:
    """Run the command line in this process, with ``text`` on standard input."""
    from examhook_cli.main import app  # noqa: PLC0415 - so that a test may set the environment first

    result = CliRunner().invoke(app, list(args), input=text, prog_name="examhook")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


def real_examhook(*args: str, env: Mapping[str, str], cwd: Path | None = None) -> Finished:
    """Run the installed program as a separate process, with its output in pipes."""
    done = subprocess.run(
        [str(PROGRAM), *args], env={**NO_AWS, **env}, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    return Finished(done.returncode, done.stdout, done.stderr)
