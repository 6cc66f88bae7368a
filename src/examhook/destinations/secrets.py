"""Signing secrets at rest: encrypted under the stack's KMS key, each bound to its endpoint.

``open`` and ``seal`` raise botocore's ClientError: with ``InvalidCiphertextException`` the stored
bytes belong to another endpoint or key, and trying again does not help; otherwise it may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class SecretsKey:
    """Encrypts and decrypts signing secrets; what it decrypted, it remembers as long as the process lives."""

    def __init__(self, client: KMSClient, key_arn: str) -> None:
        self._client = client
        self._key_arn = key_arn
        self._opened: dict[tuple[str, bytes], str] = {}

    def seal(self, endpoint_id: str, secret: str) -> bytes:
        """``secret`` encrypted, to be opened for this endpoint only."""
        answer = self._client.encrypt(
            KeyId=self._key_arn, Plaintext=secret.encode(), EncryptionContext=_context(endpoint_id)
        )
        return answer["CiphertextBlob"]

    def open(self, endpoint_id: str, sealed: bytes) -> str:
        """The secret in ``sealed``."""
        known = self._opened.get((endpoint_id, sealed))
        if known is not None:
            return known
        answer = self._client.decrypt(
            KeyId=self._key_arn, CiphertextBlob=sealed, EncryptionContext=_context(endpoint_id)
        )
        secret = answer["Plaintext"].decode()
        self._opened[endpoint_id, sealed] = secret
        return secret


def _context(endpoint_id: str) -> dict[str, str]:
    return {"endpoint_id": endpoint_id}
