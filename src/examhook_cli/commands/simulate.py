"""``examhook simulate``."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

from examhook_cli.errors import CommandError
from examhook_cli.output import hint, say
from examhook_simulator.clock import VirtualClock
from examhook_simulator.facts import AttemptCount
from examhook_simulator.quirks import QuirkError, Switch
from examhook_simulator.server import DEFAULT_CODE, REQUESTS_PER_SECOND, Simulator, running_simulator
from examhook_simulator.world import World


def simulate(  # noqa: PLR0913 - each option is a parameter
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 selects a free port.")] = 8100,
    exams: Annotated[int, typer.Option(min=0, max=10_000, help="Number of existing exams.")] = 3,
    candidates: Annotated[
        int, typer.Option(min=0, max=100_000, metavar="N", help="Number of past attempts per exam.")
    ] = 120,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Random seed (default: different on each run).")] = None,
    code: Annotated[
        str, typer.Option(envvar="EXAMHOOK_SIMULATOR_CODE", help="Account code that requests must contain.")
    ] = DEFAULT_CODE,
    live: Annotated[
        float, typer.Option(min=0, max=6000, metavar="N", help="New attempts per virtual minute; 0 for none.")
    ] = 6.0,
    speed: Annotated[
        float, typer.Option(min=0, max=3600, metavar="X", help="Virtual seconds per second; 0 stops the clock.")
    ] = 1.0,
    attempt_count: Annotated[
        AttemptCount, typer.Option(help="Attempts that an exam's `times` field counts.")
    ] = AttemptCount.STARTS,
    requests_per_second: Annotated[
        int, typer.Option(min=1, max=100_000, metavar="N", help="Rate limit; further requests get status 429.")
    ] = REQUESTS_PER_SECOND,
    quirk: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=VALUE][@HOW-OFTEN]",
            help="Provider fault or habit to simulate (repeatable; docs/simulator.md).",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the URL and the code as one JSON line.")] = False,
) -> None:
    """Simulate the provider, with live candidates and faults.

    Example: examhook simulate --live 6 --quirk limit_cap=10 --quirk server_error=502@0.1 --quirk reset@next3
    """
    switches = [_switch(text) for text in quirk or ()]
    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    world = World(seed, VirtualClock(time.time(), speed))
    for _ in range(exams):
        world.populate(world.create_exam(counts=attempt_count), candidates)
    world.live(live)
    try:
        with running_simulator(world, port, code=code, requests_per_second=requests_per_second) as simulator:
            for switch in switches:
                simulator.api.quirks.turn_on(switch)
            # A caller may stop the process as soon as it has read the announcement.
            with _stop_signal() as stopped:
                _announce(simulator, seed, as_json=as_json)
                stopped.wait()
    except OSError as error:
        raise CommandError(
            f"Cannot listen on port {port} ({os.strerror(error.errno or 0)}): choose another port with --port."
        ) from error
    hint("Stopped.")


def _switch(text: str) -> Switch:
    try:
        return Switch.parse(text)
    except QuirkError as error:
        raise typer.BadParameter(str(error), param_hint="--quirk") from None


def _announce(simulator: Simulator, seed: int, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": simulator.base_url, "code": simulator.code, "seed": seed}), flush=True)
        return
    say(f"Simulating the provider at {simulator.base_url} (seed {seed}).")
    say("In another terminal, deploy the local stack for it:")
    say(f"  examhook local up --base-url {simulator.base_url} --code {simulator.code}")
    hint(f"Ledger of everything that happens: {simulator.base_url}/_sim/ledger. Ctrl-C stops the simulator.")


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set."""
    stopped = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
