"""Key of the candidate hashes of an account, encrypted with the stack's KMS key."""

from __future__ import annotations

import secrets

from examhook.destinations.secrets import SecretsKey
from examhook.detection.erased import KEY_BYTES


def new_erasure_key(key: SecretsKey, account: str) -> bytes:
    """Create an encrypted key; raises botocore's ClientError."""
    return key.seal(erasure_key_owner(account), secrets.token_hex(KEY_BYTES))


def erasure_key(key: SecretsKey, account: str, sealed: bytes) -> bytes:
    """Decrypt a key; raises botocore's ClientError."""
    return bytes.fromhex(key.open(erasure_key_owner(account), sealed))


def erasure_key_owner(account: str) -> str:
    """Return the owner that the key is bound to; Poll may only decrypt for owners of this form (``template.yaml``)."""
    # Endpoint ids begin with ep_, so neither kind of owner can decrypt for the other.
    return f"erasures of {account}"
