"""``python -m tools.faults.upgrade --from COMMIT``: deploy an older version locally, use it, deploy this one over it.

Needs a clone that has the older commit. Exit status 0 when the update kept state and endpoints and told nobody anything
that had been told before.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from boto3 import Session

from examhook_cli.listener.server import Listener, running_listener
from examhook_cli.local.environment import shell_variables
from examhook_cli.stack import DEFAULT_STACK_NAME, read_stack
from examhook_simulator.clock import VirtualClock
from examhook_simulator.facts import AttemptRef
from examhook_simulator.server import running_simulator
from examhook_simulator.world import World
from tools.faults.audit import audit, revision_of
from tools.faults.version import PROJECT, UpgradeError, Version, older

_CODE = "code-of-the-update"
_ARRIVAL_S = 120.0
_SETTLE_S = 20.0


@dataclass(frozen=True, slots=True)
class Exams:
    """Exams that both versions know."""

    active: str
    past: str
    """Has old results only."""


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

    def redrive(self, version: Version) -> None:
        """Have missing events rebuilt from the stored state, of which there are none."""
        version.examhook(["events", "redrive", "--since", "1h"], self.environ)

    def exams_left(self) -> list[str]:
        """What is wrong with the place where the exams' states are stored; empty when they were moved."""
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


def run(update: Update, before: Version, after: Version, exams: Exams) -> list[str]:
    """What is wrong after the update; empty when nothing is."""
    world, noted = update.world, len(update.world.ledger())
    ended, between, running = (_begin(update, before, exams.active) for _ in range(3))
    opened = world.create_exam()
    for ref in ended:
        world.submit(ref)
    world.advance(5)
    update.poll(before)
    update.await_ids(len(ended) + 1)
    told, endpoints = update.ids(), update.endpoints(before)
    update.up(after)
    problems = []
    if update.endpoints(after) != endpoints:
        problems.append("the endpoints are others than before")
    update.poll(after)
    update.poll(after, "--full")
    update.redrive(after)
    time.sleep(_SETTLE_S)
    if update.ids() != told:
        problems.append(f"{len(update.ids() - told)} events came by the update alone")
    problems += update.exams_left()
    # The poll that finds these is the first to find anything.
    for ref in between:
        world.time_out(ref)
    world.close_exam(opened)
    world.advance(5)
    update.poll(after)
    for ref in running:
        world.force(ref)
    world.advance(5)
    update.poll(after)
    update.await_ids(len(told) + len(between) + 1 + len(running))
    update.redrive(after)
    time.sleep(_SETTLE_S)
    bodies = [one.body for one in update.listener.received if one.verified]
    verdict = audit(world.ledger(noted), bodies, frozenset({exams.past}))
    repeated = [] if not verdict.repeated else [f"{verdict.repeated} events came twice"]
    return [*problems, *verdict.lost, *verdict.invented, *repeated, *chain_problems(bodies, opened)]


def chain_problems(bodies: Sequence[bytes], exam_id: str) -> list[str]:
    """What is wrong with the events about an exam that opened before the update and closed after it."""
    events = [event for event in map(json.loads, bodies) if event["type"] in {"exam.opened", "exam.closed"}]
    of_exam = sorted((event for event in events if event["data"]["exam"]["id"] == exam_id), key=revision_of)
    if [event["type"] for event in of_exam] != ["exam.opened", "exam.closed"]:
        return [f"exam {exam_id} opened and closed, and these came: {[event['type'] for event in of_exam]}"]
    opened, closed = of_exam
    return [] if closed.get("previousid") == opened["id"] else ["exam.closed does not name exam.opened before it"]


def _begin(update: Update, version: Version, exam_id: str) -> list[AttemptRef]:
    refs = [update.world.start(exam_id) for _ in range(5)]
    update.world.advance(5)
    update.poll(version)
    update.world.advance(60)
    return refs


def main() -> int:
    """Exit status 1 when the update did harm."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults.upgrade", description="Update an older deployed version."
    )
    parser.add_argument("--from", dest="commit", required=True, help="the older version's commit")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="examhook-upgrade-")))
        before, after = older(given.commit, folder / "older"), Version(PROJECT)
        world = World(13, VirtualClock(start_at=time.time(), speed=1.0))
        exams = Exams(active=world.create_exam(), past=world.create_exam())
        for exam_id in (exams.active, exams.past):
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
            problems = run(update, before, after, exams)
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
