"""Third-party verifiers accept the signatures."""

from __future__ import annotations

import base64
import secrets
import time

import pytest
import standardwebhooks
import svix
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.signature import BadSecretError, check_secret, fresh_secret, signed_headers

# The vector that the Standard Webhooks libraries share.
VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_AT = 1_614_265_330
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

a_secret = st.binary(min_size=24, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode())
a_body = st.text(max_size=500).map(lambda text: text.encode("utf-8", errors="ignore"))


def test_the_published_test_vector_is_reproduced() -> None:
    assert signed_headers(VECTOR_ID, VECTOR_BODY, (VECTOR_SECRET,), VECTOR_AT) == {
        "webhook-id": VECTOR_ID,
        "webhook-timestamp": str(VECTOR_AT),
        "webhook-signature": VECTOR_SIGNATURE,
    }


def test_the_time_zone_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        headers = signed_headers(VECTOR_ID, VECTOR_BODY, (VECTOR_SECRET,), VECTOR_AT)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert headers["webhook-signature"] == VECTOR_SIGNATURE


@given(body=a_body, secret=a_secret)
def test_both_libraries_verify_any_body(body: bytes, secret: str) -> None:
    headers = signed_headers("evt_1", body, (secret,), int(time.time()))
    standardwebhooks.Webhook(secret).verify(body, headers, json_parse=False)
    svix.Webhook(secret).verify(body, headers)


@given(body=a_body.filter(bool), secret=a_secret)
def test_a_changed_byte_is_rejected(body: bytes, secret: str) -> None:
    headers = signed_headers("evt_1", body, (secret,), int(time.time()))
    changed = body[:-1] + bytes([body[-1] ^ 1])
    with pytest.raises((standardwebhooks.WebhookVerificationError, UnicodeDecodeError)):
        standardwebhooks.Webhook(secret).verify(changed, headers, json_parse=False)


def test_with_two_secrets_either_verifies() -> None:
    old, new = fresh_secret(secrets.token_bytes), fresh_secret(secrets.token_bytes)
    headers = signed_headers("evt_1", b"{}", (new, old), int(time.time()))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(b"{}", headers) == {}


def test_a_new_secret_is_valid() -> None:
    secret = fresh_secret(secrets.token_bytes)
    assert check_secret(secret) == secret
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_not base64 at all!",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
    ],
)
def test_an_invalid_secret_is_rejected_and_not_repeated(bad: str) -> None:
    with pytest.raises(BadSecretError) as caught:
        check_secret(bad)
    assert not bad.removeprefix("whsec_") or bad.removeprefix("whsec_") not in str(caught.value)


def test_signing_needs_a_secret() -> None:
    with pytest.raises(BadSecretError):
        signed_headers("evt_1", b"{}", (), VECTOR_AT)
