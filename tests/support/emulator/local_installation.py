"""A local stack of the tests' own, driven as a person drives it, with a simulated provider and receivers beside it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest
from boto3 import Session

from examhook_cli.listener.server import Listener, Received, running_listener
from examhook_cli.local.environment import shell_variables
from examhook_simulator.clock import VirtualClock
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World
from tests.support.cli.command_line import NO_AWS, PROGRAM, Finished

UP_TIMEOUT_S = 600
ARRIVAL_TIMEOUT_S = 60
"""Longest that a webhook may take on a busy machine; nothing waits for it to pass."""

ANY_SECRET = "whsec_" + "a" * 32
"""A secret that signs nothing: what a receiver trusts until it knows better."""
_EXPORT = re.compile(r"^export ([A-Z_]+)=(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class LocalInstallation:
    """A running local stack, as a test uses it."""

    simulator: Simulator
    listeners: Sequence[Listener]
    state: Path
    port: int

    @property
    def environ(self) -> dict[str, str]:
        """Environment of ``examhook local``: the user's environment without AWS settings."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EXAMHOOK_"))}
        return {**own, **NO_AWS, "EXAMHOOK_LOCAL_DIR": str(self.state), "EXAMHOOK_ACCOUNT_CODE": self.simulator.code}

    @property
    def shell(self) -> dict[str, str]:
        """Environment of a shell that sourced the file of ``up``."""
        return dict(_EXPORT.findall((self.state / "env").read_text()))

    @property
    def written(self) -> dict[str, object]:
        """The file that ``up`` wrote for scripts."""
        written = json.loads((self.state / "stack.json").read_text())
        assert isinstance(written, dict)
        return written

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""
        outputs = self.written["outputs"]
        assert isinstance(outputs, dict)
        return outputs

    def wait_until(self, listener: Listener, condition: Callable[[Sequence[Received]], bool], timeout_s: float) -> None:
        """Wait until the received requests meet ``condition``; otherwise fail with the end of the functions' log."""
        if not listener.wait_until(condition, timeout_s):
            log = "\n".join(self.examhook("local", "logs").out.splitlines()[-80:])
            functions = self.session.client("lambda", endpoint_url=self.url)
            sources = [
                (each["FunctionArn"], each["State"], each["LastProcessingResult"])
                for each in functions.list_event_source_mappings()["EventSourceMappings"]
            ]
            pytest.fail(f"Not received within {timeout_s:.0f} s.\n{sources}\nThe functions logged last:\n{log}")

    @cached_property
    def session(self) -> Session:
        """An AWS session of the local root user; its clients need ``endpoint_url`` or ``AWS_ENDPOINT_URL``.

        Made once, because each session reads the descriptions of the services again.
        """
        variables = shell_variables(self.port)
        return Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        )

    @property
    def url(self) -> str:
        """Where AWS is played."""
        return shell_variables(self.port)["AWS_ENDPOINT_URL"]

    def local(self, *args: str) -> Finished:
        """Run ``examhook local …``."""
        return run(["local", *args], self.environ)

    def up(self, *more: str) -> Finished:
        """``examhook local up`` for this provider and these receivers, without polls by schedule."""
        urls = [option for listener in self.listeners for option in ("--webhook-url", listener.url)]
        options = ["--base-url", self.simulator.base_url, "--port", str(self.port), "--requests-per-second", "9"]
        options += ["--event-bus", "default"]
        return self.local("up", *options, *urls, *(more or ("--poll-seconds", "off")))

    def examhook(self, *args: str) -> Finished:
        """Run ``examhook …`` in a shell that sourced the file that ``up`` wrote."""
        return run(list(args), {**self.environ, **self.shell})

    def poll(self) -> dict[str, object]:
        """Run one poll that must be complete; its report."""
        done = self.examhook("poll", "--json")
        assert done.exit_code == 0, done.err
        report = done.json()
        assert isinstance(report, dict)
        assert report["complete"], report
        return report

    def trust(self) -> None:
        """Let every receiver verify with the secrets that ``up`` wrote."""
        endpoints = self.written["endpoints"]
        assert isinstance(endpoints, list)
        for listener in self.listeners:
            listener.trust([endpoint["secret"] for endpoint in endpoints if endpoint["url"] == listener.url])


def run(args: Sequence[str], environ: Mapping[str, str]) -> Finished:
    """Run the installed program to its end."""
    done = subprocess.run(
        [str(PROGRAM), *args], env=dict(environ), capture_output=True, text=True, timeout=UP_TIMEOUT_S, check=False
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def about_exam(received: Sequence[Received], exam_id: str) -> list[dict[str, Any]]:
    """Accepted events about attempts at one exam, in order of arrival."""
    return [event for event in all_about_exam(received, exam_id) if str(event["type"]).startswith("submission.")]


def all_about_exam(received: Sequence[Received], exam_id: str) -> list[dict[str, Any]]:
    """Accepted events about one exam and the attempts at it, in order of arrival."""
    events = [json.loads(one.body) for one in received if one.answered < 300]
    return [event for event in events if event["data"].get("exam", {}).get("id") == exam_id]


@contextmanager
def local_installation(state: Path) -> Iterator[LocalInstallation]:
    """A running stack that has polled its provider once; it stops at the end of the block."""
    with ExitStack() as stack:
        # By the real date: a result that ended long before the stack was deployed is old.
        world = World(seed=11, clock=VirtualClock(start_at=time.time()))
        simulator = stack.enter_context(running_simulator(world))
        listeners = [stack.enter_context(running_listener([ANY_SECRET])) for _ in range(2)]
        installation = LocalInstallation(simulator, listeners, state, _free_port())
        stack.callback(_down, installation)
        world.populate(world.create_exam(), 20)
        done = installation.up()
        assert done.exit_code == 0, done.err + done.out
        installation.trust()
        installation.poll()
        yield installation


def _down(installation: LocalInstallation) -> None:
    done = installation.local("down")
    assert done.exit_code == 0, done.err


def _free_port() -> int:
    """A port that nothing uses, below those that the system gives to other sockets while the emulator starts."""
    chance = SystemRandom()  # the seed of the run is the same in every worker
    while True:
        port = chance.randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
