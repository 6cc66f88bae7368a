"""The verifiers of Node (npm: standardwebhooks, svix) accept our signatures and reject forged ones."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from examhook.delivery.signature import signed_headers
from examhook.events.build import submission_event
from tests.support.events.model_values import submission, transition

FOLDER = Path(__file__).parents[1] / "node"
SECRETS = ["whsec_" + base64.b64encode(bytes([letter]) * 32).decode() for letter in b"ab"]
BODY = submission_event(submission(exam_title="解剖学 Ⅱ «é» 👩‍🎓"), transition()).body

pytestmark = [
    pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm are not installed"),
    pytest.mark.parametrize("library", ["standardwebhooks", "svix"]),
]


def problem(library: str, headers: Mapping[str, str], body: bytes = BODY, secret: str = SECRETS[0]) -> str | None:
    """Why ``library`` rejects a request; None if it accepts it."""
    assert (FOLDER / "node_modules").is_dir(), "run make test, or npm ci --ignore-scripts in tests/node"
    asked = {"library": library, "secret": secret, "headers": headers, "body": base64.b64encode(body).decode()}
    done = subprocess.run(
        ["node", "verify.mjs"],  # noqa: S607 - whichever Node is installed
        input=json.dumps(asked),
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.strip() if done.returncode else None


def test_a_signed_event_is_accepted(library: str) -> None:
    assert problem(library, signed_headers("evt_1", BODY, SECRETS[:1], int(time.time()))) is None


def test_either_of_two_secrets_is_enough(library: str) -> None:
    headers = signed_headers("evt_1", BODY, SECRETS, int(time.time()))
    assert [problem(library, headers, secret=secret) for secret in SECRETS] == [None, None]


def test_a_changed_byte_is_rejected(library: str) -> None:
    headers = signed_headers("evt_1", BODY, SECRETS[:1], int(time.time()))
    assert problem(library, headers, BODY.replace(b"87", b"97")) == "No matching signature found"


def test_another_secret_is_rejected(library: str) -> None:
    headers = signed_headers("evt_1", BODY, SECRETS[:1], int(time.time()))
    assert problem(library, headers, secret=SECRETS[1]) == "No matching signature found"


def test_an_old_signature_is_rejected(library: str) -> None:
    headers = signed_headers("evt_1", BODY, SECRETS[:1], int(time.time()) - 3600)
    assert problem(library, headers) == "Message timestamp too old"
