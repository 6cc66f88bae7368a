"""``examhook simulate`` as a separate program: its output, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from examhook_simulator.client import SimulatorControl
from tests.support.cli.command_line import NO_AWS, PROGRAM, real_examhook

FEW = ("--port", "0", "--exams", "2", "--candidates", "5")


@contextmanager
def running(*args: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [str(PROGRAM), "simulate", *args],
        env=NO_AWS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_exams_until_a_signal_stops_it(how: signal.Signals) -> None:
    with running(*FEW, "--seed", "4", "--live", "0", "--code", "s3cret", "--json") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert (ready["code"], ready["seed"]) == ("s3cret", 4)
        exams = requests.get(
            f"{ready['url']}/index.php", params={"task": "api.getExams", "code": "s3cret"}, timeout=10
        ).json()
        assert [exam["times"] for exam in exams] == [5, 5]
        process.send_signal(how)
        rest, said = process.communicate(timeout=30)
        assert (process.returncode, rest, said) == (0, "", "Stopped.\n")


def test_live_candidates_start_as_time_passes_and_quirks_are_on() -> None:
    with running(
        *FEW, "--live", "60", "--attempt-count", "finishes", "--quirk", "bom", "--quirk", "limit_cap=1"
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        url = said[0].split()[4]
        assert said[2] == f"  examhook local up --base-url {url} --code simulated-code\n"
        control = SimulatorControl(url)
        before = len(control.ledger())
        control.advance(600)
        assert len(control.ledger()) > before
        answer = requests.get(f"{url}/index.php", params={"task": "api.getExams", "code": "simulated-code"}, timeout=10)
        assert answer.content.startswith(b"\xef\xbb\xbf[")
        assert len(json.loads(answer.content.decode("utf-8-sig"))) == 1
        control.close()


def test_a_port_in_use_is_one_sentence_and_exit_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = real_examhook("simulate", "--port", port, "--candidates", "1", env={})
    assert (done.exit_code, done.out) == (1, "")
    assert done.err == f"Cannot listen on port {port} (Address already in use): choose another port with --port.\n"


@pytest.mark.parametrize(
    "option",
    [("--quirk", "nonsense"), ("--quirk", "limit_cap=0"), ("--quirk", "count=often"), ("--attempt-count", "some")],
)
def test_wrong_usage_is_exit_status_2(option: tuple[str, str]) -> None:
    done = real_examhook("simulate", *option, env={})
    assert (done.exit_code, done.out) == (2, "")
    assert option[0] in done.err
