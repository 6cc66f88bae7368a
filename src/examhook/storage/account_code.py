"""The account code that the provider asks for, kept in Secrets Manager."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT_SECONDS = 300
"""How long a process uses a code before it reads the secret again."""


@dataclass(frozen=True, slots=True)
class AccountCode:
    """The code, and which version of the secret holds it."""

    code: str = field(repr=False)
    secret_version: str


class AccountCodeSecret:
    """Reads the code from one secret, whose value is the bare code unless ``code_in`` finds it there."""

    def __init__(
        self,
        client: SecretsManagerClient,
        secret_arn: str,
        now: Callable[[], float],
        code_in: Callable[[str], str] = str.strip,
    ) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._now = now
        self._code_in = code_in
        self._kept: AccountCode | None = None
        self._read_at = 0.0

    def read(self, *, fresh: bool = False) -> AccountCode:
        """The code, at most KEPT_SECONDS old unless ``fresh``; raises ClientError, and what ``code_in`` raises."""
        if fresh or self._kept is None or self._now() - self._read_at > KEPT_SECONDS:
            answer = self._client.get_secret_value(SecretId=self._secret_arn)
            self._kept = AccountCode(self._code_in(answer["SecretString"]), answer["VersionId"])
            self._read_at = self._now()
        return self._kept
