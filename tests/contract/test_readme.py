"""The README matches the code: its tables are generated from it, and its snippets run."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from itertools import permutations
from pathlib import Path
from typing import IO

import pytest
import requests
from standardwebhooks import Webhook

from examhook_cli.local.emulator import free_port
from tests.support.events.event_examples import examples

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0LW9ubHkh"
NODE_MODULES = ROOT / "tests" / "node" / "node_modules"


def test_the_tables_equal_the_generated_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.generate.readme", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@contextmanager
def running(command: list[str], cwd: Path) -> Iterator[tuple[str, IO[str]]]:
    """A snippet that receives on a free port, its address and its output."""
    port = free_port()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "PORT": str(port), "EXAMHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _await_port(port)
            assert process.stdout is not None
            yield f"http://127.0.0.1:{port}/", process.stdout
        finally:
            process.kill()


def _await_port(port: int) -> None:
    give_up_at = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.02)
        else:
            return


def _post(
    url: str, sequence: int, *, secret: str = SECRET, chunked: bool = False, previous_status: str = "submitted"
) -> int:
    body = json.dumps(
        {
            "id": f"evt_{sequence}",
            "source": "/s",
            "subject": "c",
            "type": f"t{sequence}",
            "revision": sequence,
            **({"previousid": f"evt_{sequence - 1}"} if sequence > 1 else {}),
            "data": {"submission": {"previous_status": previous_status}},
        }
    )
    at = datetime.now(UTC)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", at, body),
        "content-type": "application/json",
    }
    # An iterator has no length, so requests sends it in chunks.
    data = iter([body[:7].encode(), body[7:].encode()]) if chunked else body
    return requests.post(url, data=data, headers=headers, timeout=10).status_code


def _commands() -> list[object]:
    python = pytest.param([sys.executable, str(ROOT / "docs/examples/verify.py")], id="python")
    node = pytest.param(
        ["node", "verify.mjs"],
        id="node",
        marks=pytest.mark.skipif(
            shutil.which("node") is None or not NODE_MODULES.exists(), reason="Node.js or its packages are not here"
        ),
    )
    return [python, node]


@pytest.mark.parametrize("command", _commands())
def test_the_snippet_accepts_signed_events_drops_old_ones_and_names_missing_ones(
    command: list[str], tmp_path: Path
) -> None:
    if command[0] == "node":
        # A module finds its packages beside itself.
        shutil.copy(ROOT / "docs/examples/verify.mjs", tmp_path)
        (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    with running(command, tmp_path) as (url, printed):
        assert _post(url, 2, chunked=True) == 204
        assert printed.readline().startswith("t2 ")
        assert printed.readline() == "missing so far: evt_1\n"
        assert _post(url, 1) == 204
        assert _post(url, 2) == 204
        assert _post(url, 3) == 204
        assert printed.readline().startswith("t3 "), "the older and the repeated one were dropped, nothing is missing"
        assert _post(url, 6) == 204
        assert printed.readline().startswith("t6 ")
        assert printed.readline() == "missing so far: evt_5\n"
        assert _post(url, 5) == 204
        assert printed.readline() == "missing so far: evt_4\n"
        assert _post(url, 9, previous_status="in_test") == 204
        assert printed.readline().startswith("t9 ")
        assert printed.readline() == "missing so far: evt_4\n", "the filter excludes submission.started"
        assert _post(url, 7, secret="whsec_" + "b3RoZXItc2VjcmV0LW9mLXRoZS10ZXN0") == 400


@pytest.mark.parametrize("order", list(permutations(["exam.opened", "exam.closed", "exam.verified"])))
def test_a_receipt_that_arrives_before_a_closing_does_not_make_the_closing_stale(order: tuple[str, ...]) -> None:
    spec = spec_from_file_location("receiver", ROOT / "docs/examples/verify.py")
    assert spec is not None
    assert spec.loader is not None
    receiver = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXAMHOOK_SECRET", SECRET)
        spec.loader.exec_module(receiver)
    news = [each for each in order if receiver.is_news(json.loads(examples()[each].body))]
    late_opening = order.index("exam.opened") > order.index("exam.closed")
    assert news == [each for each in order if not (late_opening and each == "exam.opened")]
    assert receiver.missing == set()
