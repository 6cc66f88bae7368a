"""``python -m faults.upgrade --from COMMIT``: deploy an older version locally, use it, deploy this one over it.

Needs a clone that has the older commit. Exit status 0 when the update kept state and endpoints and told nobody anything
that had been told before.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from examhook_cli.listener.server import Listener, running_listener
from examhook_cli.local.environment import shell_variables
from examhook_cli.simulator.clock import VirtualClock
from examhook_cli.simulator.facts import AttemptRef
from examhook_cli.simulator.server import running_simulator
from examhook_cli.simulator.world import World
from faults.audit import audit

PROJECT = Path(__file__).resolve().parents[1]
_ENVIRONMENTS = (".venv-sam", ".venv-emulator")
_CODE = "code-of-the-update"
_ARRIVAL_S = 120.0
_SETTLE_S = 20.0


class UpgradeError(Exception):
    """A command failed, or the update did harm; the message says which."""


@dataclass(frozen=True, slots=True)
class Version:
    """A checkout, and its command line."""

    root: Path

    def examhook(self, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
        """What ``examhook …`` of this version printed; raises UpgradeError."""
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


@dataclass(slots=True)
class Update:
    """One update, from first deployment to the last comparison."""

    world: World
    listener: Listener
    environ: Mapping[str, str]
    options: Sequence[str]

    def up(self, version: Version) -> None:
        """Deploy a version, over what is there."""
        version.examhook(["local", "up", *self.options], self.environ)
        state = Path(self.environ["EXAMHOOK_LOCAL_DIR"])
        endpoints = json.loads((state / "stack.json").read_text())["endpoints"]
        self.listener.trust([endpoint["secret"] for endpoint in endpoints])

    def poll(self, version: Version, *more: str) -> None:
        """Poll once."""
        version.examhook(["poll", *more], self.environ)

    def ids(self) -> set[str]:
        """Events that the receiver took."""
        return {json.loads(one.body)["id"] for one in self.listener.received if one.verified}

    def await_ids(self, count: int) -> None:
        """Wait for so many events; raises UpgradeError."""
        if not self.listener.wait_until(lambda _: len(self._ids_of_received()) >= count, _ARRIVAL_S):
            raise UpgradeError(f"{len(self._ids_of_received())} events came, wanted {count}")

    def _ids_of_received(self) -> set[str]:
        # Called with the listener's lock held, which its own thread may take again.
        return {json.loads(one.body)["id"] for one in self.listener.received}

    def endpoints(self, version: Version) -> object:
        """What is known of every endpoint."""
        listed = json.loads(version.examhook(["endpoints", "list", "--json"], self.environ))
        return sorted((endpoint["id"], endpoint["url"]) for endpoint in listed)


def run(update: Update, before: Version, after: Version, exam_id: str) -> list[str]:
    """What is wrong after the update; empty when nothing is."""
    noted = len(update.world.ledger())
    ended, running = _begin(update, before, exam_id), _begin(update, before, exam_id)
    for ref in ended:
        update.world.submit(ref)
    update.world.advance(5)
    update.poll(before)
    update.await_ids(len(ended))
    told, endpoints = update.ids(), update.endpoints(before)
    update.up(after)
    problems = []
    if update.endpoints(after) != endpoints:
        problems.append("the endpoints are others than before")
    update.poll(after, "--full")
    time.sleep(_SETTLE_S)
    if update.ids() != told:
        problems.append(f"{len(update.ids() - told)} events came by the update alone")
    for ref in running:
        update.world.force(ref)
    update.world.advance(5)
    update.poll(after)
    update.await_ids(len(ended) + len(running))
    verdict = audit(update.world.ledger(noted), [one.body for one in update.listener.received if one.verified])
    return [*problems, *verdict.lost, *verdict.invented]


def _begin(update: Update, version: Version, exam_id: str) -> list[AttemptRef]:
    refs = [update.world.start(exam_id) for _ in range(5)]
    update.world.advance(5)
    update.poll(version)
    update.world.advance(60)
    return refs


def main() -> int:
    """Exit status 1 when the update did harm."""
    parser = argparse.ArgumentParser(prog="python -m faults.upgrade", description="Update an older deployed version.")
    parser.add_argument("--from", dest="commit", required=True, help="the older version's commit")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="examhook-upgrade-")))
        before, after = older(given.commit, folder / "older"), Version(PROJECT)
        world = World(13, VirtualClock(start_at=time.time(), speed=1.0))
        exam_id = world.create_exam()
        world.populate(exam_id, 50)
        simulator = stack.enter_context(running_simulator(world, code=_CODE))
        listener = stack.enter_context(running_listener([]))
        port = _free_port()
        environ = {
            **os.environ,
            **shell_variables(port),
            "EXAMHOOK_LOCAL_DIR": str(folder / "state"),
            "EXAMHOOK_ACCOUNT_CODE": _CODE,
        }
        options = ["--base-url", simulator.base_url, "--port", str(port), "--poll-seconds", "off"]
        update = Update(world, listener, environ, [*options, "--webhook-url", listener.url])
        stack.callback(after.examhook, ["local", "down"], environ)
        try:
            update.up(before)
            update.poll(before)
            problems = run(update, before, after, exam_id)
        except UpgradeError as error:
            problems = [str(error)]
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(
        f"from {given.commit}: {'kept everything and told nothing twice' if not problems else 'NOT GOOD'}\n"
    )
    return 1 if problems else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
