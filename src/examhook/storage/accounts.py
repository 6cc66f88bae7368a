"""The further accounts that a stack watches, kept as a list in one secret of Secrets Manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from examhook.storage.account_list import Accounts, accounts_in

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT_SECONDS = 300
"""How long a process uses what it read before it reads the secret again."""


class AccountsSecret:
    """Reads the list; ``own`` is the name of the account that the stack's parameters describe."""

    def __init__(self, client: SecretsManagerClient, secret_arn: str, own: str, now: Callable[[], float]) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._own = own
        self._now = now
        self._kept: Accounts | None = None
        self._read_at = 0.0

    def read(self, *, fresh: bool = False) -> Accounts:
        """The accounts, at most KEPT_SECONDS old unless ``fresh``; raises AccountsError, ClientError."""
        if fresh or self._kept is None or self._now() - self._read_at > KEPT_SECONDS:
            answer = self._client.get_secret_value(SecretId=self._secret_arn)
            self._kept = accounts_in(answer.get("SecretString", ""), self._own)
            self._read_at = self._now()
        return self._kept
