"""Signatures and secrets of webhooks, as Standard Webhooks 1.0 has them.

A receiver verifies ``webhook-signature`` over ``{webhook-id}.{webhook-timestamp}.{body}``; any of
its libraries does. Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of every secret, not a secret
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
FRESH_SECRET_BYTES = 32


class BadSecretError(ValueError):
    """A signing secret is not ``whsec_`` and base64 of 24 to 64 bytes; the message does not repeat it."""


def signed_headers(event_id: str, body: bytes, secrets: Sequence[str], at: int) -> dict[str, str]:
    """The three headers of one attempt.

    Args:
        event_id: becomes ``webhook-id``, the same at every attempt.
        body: exactly the bytes that are sent, UTF-8.
        secrets: ``whsec_…``; each adds one signature, so that a receiver may hold any one of them.
        at: time of this attempt, Unix seconds.

    Raises:
        BadSecretError: if there is no secret, or a bad one.
    """
    if not secrets:
        raise BadSecretError("there is no secret to sign with")
    # The library takes the time for UTC whatever zone it carries.
    timestamp = datetime.fromtimestamp(at, UTC)
    text = body.decode("utf-8")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(
            Webhook(check_secret(secret)).sign(event_id, timestamp, text) for secret in secrets
        ),
    }


def fresh_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A new ``whsec_…``; ``random_bytes`` must be fit for cryptography (``secrets.token_bytes``)."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(FRESH_SECRET_BYTES)).decode()


def check_secret(secret: str) -> str:
    """``secret``, if it is a good one; raises BadSecretError."""
    if not secret.startswith(SECRET_PREFIX):
        raise BadSecretError(f"a signing secret begins with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecretError(f"a signing secret is {SECRET_PREFIX} followed by base64") from None
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise BadSecretError(
            f"a signing secret holds {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes, this one {len(key)}"
        )
    return secret
