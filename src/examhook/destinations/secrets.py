"""Encryption of secrets with the stack's KMS key, bound to the endpoint that a secret belongs to.

``seal`` and ``open`` raise botocore's ClientError. ``InvalidCiphertextException`` means that the ciphertext belongs to
another endpoint or key, so that a retry does not help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class SecretsKey:
    """Encrypts and decrypts secrets, and caches decrypted secrets until the process ends."""

    def __init__(self, client: KMSClient, key_arn: str) -> None:
        self._client = client
        self._key_arn = key_arn
        self._opened: dict[tuple[str, bytes], str] = {}

    def seal(self, endpoint_id: str, secret: str) -> bytes:
        """Encrypt ``secret`` for one endpoint."""
        response = self._client.encrypt(
            KeyId=self._key_arn, Plaintext=secret.encode(), EncryptionContext={"endpoint_id": endpoint_id}
        )
        return response["CiphertextBlob"]

    def open(self, endpoint_id: str, sealed: bytes) -> str:
        """Decrypt a secret of the same endpoint."""
        cached = self._opened.get((endpoint_id, sealed))
        if cached is not None:
            return cached
        response = self._client.decrypt(
            KeyId=self._key_arn, CiphertextBlob=sealed, EncryptionContext={"endpoint_id": endpoint_id}
        )
        secret = response["Plaintext"].decode()
        self._opened[endpoint_id, sealed] = secret
        return secret
