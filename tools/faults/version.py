"""A version of the project, checked out, and its command line."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_ENVIRONMENTS = (".venv-sam", ".venv-emulator")


class UpgradeError(Exception):
    """A command failed, or the update did harm; the message says which."""


@dataclass(frozen=True, slots=True)
class Version:
    """A checkout, and its command line."""

    root: Path

    def examhook(self, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
        """What ``examhook …`` of this version printed; raises UpgradeError."""
        # Older versions keep the command line in cli/.
        path = os.pathsep.join(str(self.root / part) for part in ("cli", "src"))
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            [sys.executable, "-m", "examhook_cli.main", *arguments],
            cwd=self.root,
            env={**environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UpgradeError(f"{self.root.name}: examhook {' '.join(arguments[:2])}: {done.stderr.strip()}")
        return done.stdout


def older(commit: str, where: Path) -> Version:
    """The version at ``commit``, unpacked in ``where``; raises UpgradeError where the clone lacks it."""
    archive = subprocess.run(  # noqa: S603 - git, asked for a commit
        ["git", "archive", commit],  # noqa: S607 - whichever git the person has
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        raise UpgradeError(f"This clone has no commit {commit}: git fetch --unshallow brings the history.")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(where, filter="data")
    for name in _ENVIRONMENTS:
        (where / name).symlink_to(PROJECT / name)
    return Version(where)
