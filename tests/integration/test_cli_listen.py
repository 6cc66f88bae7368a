"""``examhook listen`` as a process of its own: what it prints of what comes, and how it ends."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import requests
from standardwebhooks import Webhook

from tests.support.cli.command_line import NO_AWS, PROGRAM, real_examhook

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = '{"type":"submission.submitted","data":{"candidate":{"id":"1","name":"Mei"}}}'


@contextmanager
def listening(*args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running program and the URL that it says it listens on."""
    with subprocess.Popen(
        [str(PROGRAM), "listen", "--port", "0", *args],
        env={**NO_AWS, "EXAMHOOK_SECRET": SECRET, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            assert program.stderr is not None
            yield program, program.stderr.readline().split()[2]
        finally:
            program.kill()


def send(url: str, secret: str = SECRET) -> int:
    at = datetime.now(UTC)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", at, BODY),
    }
    return requests.post(url, data=BODY, headers=headers, timeout=5).status_code


def end(program: subprocess.Popen[str]) -> tuple[int, str, str]:
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=20)
    return program.returncode, out, err


def test_each_event_is_a_line_and_ctrl_c_ends_well() -> None:
    with listening() as (program, url):
        assert send(url) == 204
        code, out, err = end(program)
    assert code == 0
    assert out.split("  ", 1)[1] == "verified  submission.submitted  Mei (1)\n"
    assert err == "Stopped.\n"


def test_a_wrong_signature_is_a_warning_and_no_event() -> None:
    with listening() as (program, url):
        assert send(url, OTHER) == 401
        _, out, err = end(program)
    assert out == ""
    assert "NOT VERIFIED" in err
    assert "the signature does not match" in err


def test_several_secrets_are_allowed() -> None:
    with listening("--secret", SECRET, "--secret", OTHER) as (program, url):
        assert (send(url), send(url, OTHER)) == (204, 204)
        end(program)


def test_json_prints_the_verified_bodies_only() -> None:
    with listening("--json") as (program, url):
        send(url, OTHER)
        send(url)
        _, out, _ = end(program)
    assert out == BODY + "\n"


def test_it_plays_a_bad_receiver() -> None:
    with listening("--fail-first", "1", "--status", "202") as (program, url):
        assert [send(url), send(url)] == [500, 202]
        end(program)


def test_it_ends_when_nobody_reads_its_output_any_more() -> None:
    with listening("--json") as (program, url):
        assert program.stdout is not None
        program.stdout.close()
        send(url)
        assert program.wait(timeout=20) == 0


@pytest.mark.parametrize("secret", ["whsec_abcde", "correcthorse", "ep_7c28d64f53a1c315d27d2ba93cd90bd6"])
def test_a_bad_secret_is_wrong_usage_and_not_repeated(secret: str) -> None:
    finished = real_examhook("listen", "--secret", secret, env={})
    assert finished.exit_code == 2
    assert "a signing secret" in finished.err
    assert secret.removeprefix("whsec_") not in finished.err


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        finished = real_examhook("listen", "--port", port, "--secret", SECRET, env={})
    assert finished.exit_code == 1
    assert finished.err.startswith(f"Cannot listen on port {port} of 127.0.0.1 (Address already in use)")
