"""The key that hashes of erased candidates are made with: one for each account, sealed under the stack's KMS key."""

from __future__ import annotations

import secrets

from examhook.destinations.secrets import SecretsKey
from examhook.detection.erased import KEY_BYTES


def new_erasure_key(key: SecretsKey, account: str) -> bytes:
    """A new key, sealed; raises botocore's ClientError."""
    return key.seal(bound_to(account), secrets.token_hex(KEY_BYTES))


def erasure_key(key: SecretsKey, account: str, sealed: bytes) -> bytes:
    """The key in ``sealed``; raises botocore's ClientError."""
    return bytes.fromhex(key.open(bound_to(account), sealed))


def bound_to(account: str) -> str:
    """What an account's key is sealed for; Poll may open what is sealed for such a name only (``template.yaml``)."""
    # Endpoints' ids begin with ep_, so neither opens what is sealed for the other.
    return f"erasures of {account}"
