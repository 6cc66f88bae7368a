"""Webhook signatures and signing secrets according to Standard Webhooks 1.0.

``webhook-signature`` signs ``{webhook-id}.{webhook-timestamp}.{body}``.
Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, not a secret
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
FRESH_SECRET_BYTES = 32


class BadSecretError(ValueError):
    """A signing secret is not ``whsec_`` and base64 of 24 to 64 bytes; the message does not contain the secret."""


def signed_headers(event_id: str, body: bytes, secrets: Sequence[str], at: int) -> dict[str, str]:
    """The signature headers of one attempt.

    Args:
        event_id: ``webhook-id``, the same for every attempt.
        body: the request body, UTF-8.
        secrets: ``whsec_…``; each adds a signature, and a receiver needs only one of them to verify.
        at: time of the attempt, Unix seconds.

    Raises:
        BadSecretError: if there is no secret or an invalid one.
    """
    if not secrets:
        raise BadSecretError("there is no signing secret")
    # The library ignores the time zone and assumes UTC.
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
    """A new ``whsec_…``; ``random_bytes`` must be cryptographically secure (``secrets.token_bytes``)."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(FRESH_SECRET_BYTES)).decode()


def check_secret(secret: str) -> str:
    """Return ``secret`` if it is valid; raises BadSecretError."""
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
