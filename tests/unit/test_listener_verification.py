"""Requests signed with a known secret are accepted; every other request gets a readable reason."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from examhook.delivery.signature import BadSecretError
from examhook_cli.listener.verification import Verifier

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = '{"type":"submission.submitted","name":"Łukasz 陈"}'.encode()


def signed(body: bytes = BODY, secret: str = SECRET, age: timedelta = timedelta()) -> dict[str, str]:
    at = datetime.now(UTC) - age
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", at, body.decode()),
    }


def test_a_request_signed_with_any_of_the_secrets_is_accepted() -> None:
    verifier = Verifier([OTHER, SECRET])
    assert verifier.problem_with(signed(), BODY) is None
    assert verifier.problem_with(signed(secret=OTHER), BODY) is None


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed()
    headers["webhook-signature"] = f"{signed(secret=OTHER)['webhook-signature']} {headers['webhook-signature']}"
    assert Verifier([SECRET]).problem_with(headers, BODY) is None


def test_a_changed_body_is_rejected() -> None:
    assert Verifier([SECRET]).problem_with(signed(), BODY + b" ") == "the signature does not match"


@pytest.mark.parametrize(("minutes", "word"), [(6, "old"), (-6, "ahead")])
def test_a_timestamp_more_than_five_minutes_away_is_rejected(minutes: int, word: str) -> None:
    problem = Verifier([SECRET]).problem_with(signed(age=timedelta(minutes=minutes)), BODY)
    assert problem == f"its timestamp is more than five minutes {word}"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_means_not_signed(name: str) -> None:
    headers = signed()
    del headers[name]
    assert Verifier([SECRET]).problem_with(headers, BODY) == "it is not signed"


@pytest.mark.parametrize("signature", ["v1", "v1,a,b", "v1,!", "v1,Zg", ",", "v1a,x v1", "v1,é"])
def test_a_signature_of_unknown_form_gets_a_reason(signature: str) -> None:
    assert Verifier([SECRET]).problem_with({**signed(), "webhook-signature": signature}, BODY) is not None


@given(st.binary(max_size=64), st.text(max_size=64), st.text(max_size=20))
def test_no_unsigned_request_is_accepted_or_crashes_the_verifier(body: bytes, signature: str, timestamp: str) -> None:
    headers = {"webhook-id": "evt_1", "webhook-timestamp": timestamp, "webhook-signature": signature}
    assert Verifier([SECRET]).problem_with(headers, body) is not None


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("", "begins with whsec_"),
        ("password", "begins with whsec_"),
        ("ep_7c28d64f53a1c315d27d2ba93cd90bd6", "begins with whsec_"),
        (base64.b64encode(b"k" * 32).decode(), "begins with whsec_"),
        ("whsec_", "24 to 64 bytes"),
        ("whsec_abcd", "24 to 64 bytes"),
        ("whsec_a", "followed by base64"),
        ("whsec_é", "followed by base64"),
    ],
)
def test_an_invalid_secret_is_rejected_without_repeating_it(secret: str, says: str) -> None:
    with pytest.raises(BadSecretError, match=says) as caught:
        Verifier([secret])
    assert caught.value.__cause__ is None
    assert not secret or secret == "whsec_" or secret not in str(caught.value)
