"""Builds Links from its settings."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, assert_never

import boto3
from botocore.config import Config

from examhook.http.session import BoundedSession
from examhook.provider.api_client import Means
from examhook.provider.client import LegacyClient
from examhook.provider.discovery import Discovery
from examhook.provider.pacing import Pacer
from examhook.provider.shares import LINKS_PER_SECOND, renews_links
from examhook.provider.v1_client import V1Client, V1Memory
from examhook.settings import Dialect, LinksSettings
from examhook.storage.account_code import AccountCodeSecret
from examhook.storage.account_list import Account, AccountsError, code_in
from examhook.storage.accounts import AccountsSecret
from examhook.storage.event_links import EventLinks
from examhook.storage.link_turns import LinkTurns
from examhook.workflows.links import LinkProvider, RenewLinks

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CLIENT_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
)

REQUEST_DEADLINE_S = 3.0

_Describe = tuple[str, Dialect, float]


def links(environ: Mapping[str, str]) -> RenewLinks:
    """Links as ``environ`` configures it; raises SettingsError."""
    settings = LinksSettings.read(environ)
    dynamodb = boto3.client("dynamodb", config=_CLIENT_CONFIG)
    secrets = boto3.client("secretsmanager", config=_CLIENT_CONFIG)
    further = bool(settings.accounts_secret_arn)
    accounts = AccountsSecret(secrets, settings.accounts_secret_arn, settings.account, time.time) if further else None
    return RenewLinks(
        links=EventLinks(dynamodb, settings.events_table),
        turns=LinkTurns(dynamodb, settings.exams_table),
        provider_of=_Providers(settings, secrets, accounts).of,
        now=time.time,
        sleep=time.sleep,
    )


@dataclass(slots=True)
class _Providers:
    """The clients of all accounts, kept for as long as the process lives."""

    settings: LinksSettings
    secrets: SecretsManagerClient
    accounts: AccountsSecret | None
    _session: BoundedSession = field(default_factory=BoundedSession)
    _codes: dict[str, AccountCodeSecret] = field(default_factory=dict)

    def of(self, name: str) -> LinkProvider | None:
        """A client for one account; None for one that is not watched or too slow to share. Raises ClientError."""
        own = self.settings
        if name == own.account:
            code = self._code(name, own.account_code_secret_arn, str.strip)
            return self._client((own.base_url, own.dialect, own.requests_per_second), code)
        account = self._listed(name)
        if account is None:
            return None
        rate = account.requests_per_second or own.requests_per_second
        code = self._code(name, own.accounts_secret_arn, partial(code_in, name=name))
        return self._client((account.base_url, account.dialect, rate), code)

    def _listed(self, name: str) -> Account | None:
        if self.accounts is None:
            return None
        try:
            return self.accounts.read().by_name.get(name)
        except AccountsError:
            # Polls tell of it.
            return None

    def _code(self, name: str, secret_arn: str, code_of: Callable[[str], str]) -> AccountCodeSecret:
        if name not in self._codes:
            self._codes[name] = AccountCodeSecret(self.secrets, secret_arn, time.time, code_of)
        return self._codes[name]

    def _client(self, described: _Describe, code: AccountCodeSecret) -> LinkProvider | None:
        base_url, dialect, requests_per_second = described
        if not renews_links(requests_per_second):
            return None
        means: Means = {
            "session": self._session,
            # Between the two requests that one turn may take; turns keep the pace of all processes.
            "pacer": Pacer(LINKS_PER_SECOND, time.monotonic, time.sleep),
            "now": time.time,
            "sleep": time.sleep,
            "rng": random.Random(),  # noqa: S311 - jitter, not cryptography
            "request_deadline_s": REQUEST_DEADLINE_S,
            "attempts": 1,
        }
        match dialect:
            case Dialect.LEGACY:
                return LegacyClient(base_url, code.read().code, **means)
            case Dialect.V1:
                return V1Client(base_url, code.read().code, memory=V1Memory(Discovery(list)), **means)
            case _:
                assert_never(dialect)
