"""``python -m tools.faults.upgrade --from COMMIT``: deploy an older version locally, then update it to this version.

Needs a clone with the older commit. The update must keep state and endpoints, and must repeat no event.

::

    UpgradeError    a command failed, an event did not arrive, or the clone lacks the commit
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from boto3 import Session

from examhook_cli.listener.server import Listener, running_listener
from examhook_cli.local.emulator import free_port
from examhook_cli.local.environment import shell_variables
from examhook_cli.stack import DEFAULT_STACK_NAME, read_stack
from examhook_simulator.clock import VirtualClock
from examhook_simulator.facts import AttemptRef
from examhook_simulator.server import running_simulator
from examhook_simulator.world import World
from tools.faults.audit import audit, revision_of
from tools.processes import PROJECT

_CODE = "code-of-the-update"
_ENVIRONMENTS = (".venv-sam", ".venv-emulator")
_ARRIVAL_S = 120.0
_SETTLE_S = 20.0


class UpgradeError(Exception):
    """A step failed; the message names it."""


@dataclass(frozen=True, slots=True)
class Version:
    """A checkout of the project."""

    root: Path

    @classmethod
    def at(cls, commit: str, folder: Path) -> Version:
        """Unpack the version at ``commit``; raises UpgradeError."""
        argv = ["git", "archive", commit]
        archive = subprocess.run(argv, cwd=PROJECT, capture_output=True, check=False)  # noqa: S603 - git
        if archive.returncode:
            raise UpgradeError(f"This clone has no commit {commit}. Fetch the history: git fetch --unshallow.")
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
            packed.extractall(folder, filter="data")
        for name in _ENVIRONMENTS:
            (folder / name).symlink_to(PROJECT / name)
        return cls(folder)

    def examhook(self, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
        """Run ``examhook`` of this version; return its output. Raises UpgradeError."""
        # Older versions have the command line in cli/.
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


@dataclass(slots=True)
class Update:
    """A provider, a receiver, and the local stack that is updated."""

    world: World
    active_exam: str
    past_exam: str
    """Has old results only."""
    listener: Listener
    environ: Mapping[str, str]
    options: Sequence[str]

    def deploy(self, version: Version) -> None:
        """Deploy a version over the existing stack."""
        version.examhook(["local", "up", *self.options], self.environ)
        state = Path(self.environ["EXAMHOOK_LOCAL_DIR"])
        endpoints = json.loads((state / "stack.json").read_text())["endpoints"]
        self.listener.trust([endpoint["secret"] for endpoint in endpoints])

    def poll(self, version: Version, *options: str) -> None:
        """Poll once."""
        version.examhook(["poll", *options], self.environ)

    def redrive_and_settle(self, version: Version) -> None:
        """Rebuild missing events from the stored state, and wait: no event should come."""
        version.examhook(["events", "redrive", "--since", "1h"], self.environ)
        time.sleep(_SETTLE_S)

    def start_attempts(self, version: Version) -> list[AttemptRef]:
        """Start five attempts and poll."""
        refs = [self.world.start(self.active_exam) for _ in range(5)]
        self.world.advance(5)
        self.poll(version)
        self.world.advance(60)
        return refs

    def exam_state_problems(self) -> list[str]:
        """Check that no exam state is left in the Exams table."""
        session = Session(
            aws_access_key_id=self.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environ["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environ["AWS_REGION"],
        )
        endpoint_url = self.environ["AWS_ENDPOINT_URL"]
        stack = read_stack(session.client("cloudformation", endpoint_url=endpoint_url), DEFAULT_STACK_NAME)
        client = session.client("dynamodb", endpoint_url=endpoint_url)
        items = client.scan(TableName=stack.output("ExamsTableName"), ConsistentRead=True)["Items"]
        left = [item["sk"]["S"] for item in items if item["sk"]["S"].startswith("exam#")]
        return [f"{len(left)} exams are still in the Exams table"] if left else []

    def event_ids(self) -> set[str]:
        """Return the ids of all verified events."""
        return {json.loads(one.body)["id"] for one in self.listener.received if one.verified}

    def await_events(self, count: int) -> None:
        """Wait for a number of events; raises UpgradeError."""

        def received() -> int:
            # The caller holds the listener's lock, which is reentrant.
            return len({json.loads(one.body)["id"] for one in self.listener.received})

        if not self.listener.wait_until(lambda _: received() >= count, _ARRIVAL_S):
            raise UpgradeError(f"{received()} of {count} events arrived")

    def endpoints(self, version: Version) -> object:
        """Return id and URL of every endpoint."""
        listed = json.loads(version.examhook(["endpoints", "list", "--json"], self.environ))
        return sorted((endpoint["id"], endpoint["url"]) for endpoint in listed)


def run(update: Update, before: Version, after: Version) -> list[str]:
    """Use the older version, update it, use the new one; return all problems."""
    world, first_entries = update.world, len(update.world.ledger())
    ended, between, running = (update.start_attempts(before) for _ in range(3))
    opened = world.create_exam()
    for ref in ended:
        world.submit(ref)
    world.advance(5)
    update.poll(before)
    update.await_events(len(ended) + 1)
    event_ids, endpoints = update.event_ids(), update.endpoints(before)
    update.deploy(after)
    problems = []
    if update.endpoints(after) != endpoints:
        problems.append("the update changed the endpoints")
    update.poll(after)
    update.poll(after, "--full")
    update.redrive_and_settle(after)
    if update.event_ids() != event_ids:
        problems.append(f"the update alone caused {len(update.event_ids() - event_ids)} events")
    problems += update.exam_state_problems()
    # The next poll is the first that finds changes.
    for ref in between:
        world.time_out(ref)
    world.close_exam(opened)
    world.advance(5)
    update.poll(after)
    for ref in running:
        world.force(ref)
    world.advance(5)
    update.poll(after)
    update.await_events(len(event_ids) + len(between) + 1 + len(running))
    update.redrive_and_settle(after)
    bodies = [one.body for one in update.listener.received if one.verified]
    result = audit(world.ledger(first_entries), bodies, frozenset({update.past_exam}))
    repeated = [f"{result.repeated} events arrived twice"] if result.repeated else []
    return [*problems, *result.lost, *result.invented, *repeated, *_chain_problems(bodies, opened)]


def _chain_problems(bodies: Sequence[bytes], exam_id: str) -> list[str]:
    """Check the events about an exam that opened before the update and closed after it."""
    events = [event for event in map(json.loads, bodies) if event["type"] in {"exam.opened", "exam.closed"}]
    of_exam = sorted((event for event in events if event["data"]["exam"]["id"] == exam_id), key=revision_of)
    if [event["type"] for event in of_exam] != ["exam.opened", "exam.closed"]:
        return [f"exam {exam_id} opened and closed, but its events are {[event['type'] for event in of_exam]}"]
    opened, closed = of_exam
    return [] if closed.get("previousid") == opened["id"] else ["exam.closed does not name the exam.opened before it"]


def main() -> int:
    """Return 0 if the update did no harm."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults.upgrade", description="Update an older version.")
    parser.add_argument("--from", dest="commit", required=True, help="commit of the older version")
    options = parser.parse_args()
    with ExitStack() as exits:
        folder = Path(exits.enter_context(TemporaryDirectory(prefix="examhook-upgrade-")))
        before, after = Version.at(options.commit, folder / "older"), Version(PROJECT)
        world = World(13, VirtualClock(start_at=time.time(), speed=1.0))
        active_exam, past_exam = world.create_exam(), world.create_exam()
        for exam_id in (active_exam, past_exam):
            world.populate(exam_id, 50)
        simulator = exits.enter_context(running_simulator(world, code=_CODE))
        listener = exits.enter_context(running_listener([]))
        port = free_port()
        environ = {
            **os.environ,
            **shell_variables(port),
            "EXAMHOOK_LOCAL_DIR": str(folder / "state"),
            "EXAMHOOK_ACCOUNT_CODE": _CODE,
        }
        up_options = ["--base-url", simulator.base_url, "--port", str(port), "--poll-seconds", "off"]
        up_options += ["--webhook-url", listener.url]
        update = Update(world, active_exam, past_exam, listener, environ, up_options)
        exits.callback(after.examhook, ["local", "down"], environ)
        try:
            update.deploy(before)
            update.poll(before)
            problems = run(update, before, after)
        except UpgradeError as error:
            problems = [str(error)]
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"update from {options.commit}: {'FAILED' if problems else 'passed'}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
