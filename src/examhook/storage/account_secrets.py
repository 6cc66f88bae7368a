"""Account codes in Secrets Manager: the code of the stack's own account, and the list of further accounts.

The list is a JSON object by account name::

    {"north": {"code": "…", "base_url": "https://exams.north.example", "requests_per_second": 2},
     "south": {"code": "…", "dialect": "v1", "initial_sync": "announce"}}

Only ``code`` is required. Polls skip an invalid account, report it, and watch the others.

::

    AccountsError    a retry helps only after the secret is fixed; the message names accounts and fields, without values
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from examhook.settings import DEFAULT_BASE_URLS, Dialect, InitialSync, base_url_for, parse_base_url

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

T = TypeVar("T")

MAX_AGE_S = 300
"""How long a process uses a secret before it reads it again."""

_ACCOUNT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ACCOUNT_FIELDS = ("base_url", "code", "dialect", "initial_sync", "requests_per_second")
_RATES = (0.1, 10.0)
"""Lowest and highest rate; the template has the same limits for the stack's own account."""


class AccountsError(ValueError):
    """The list is unreadable or lacks an account."""


@dataclass(frozen=True, slots=True)
class AccountCode:
    """An account code, and the version of the secret that contains it."""

    code: str = field(repr=False)
    secret_version: str


@dataclass(frozen=True, slots=True)
class Account:
    """One further account. None means the value of the stack's parameter."""

    name: str
    base_url: str
    dialect: Dialect
    requests_per_second: float | None
    initial_sync: InitialSync | None
    code: str = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The list of further accounts."""

    by_name: Mapping[str, Account]
    problems: tuple[str, ...] = ()
    """Why accounts are skipped, a sentence each."""


class _CachedSecret(Generic[T]):
    """One secret, which is read again when its cached content is too old."""

    def __init__(self, client: SecretsManagerClient, secret_arn: str, now: Callable[[], float]) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._now = now
        self._cached: T | None = None
        self._read_at = 0.0

    def read(self, *, fresh: bool = False) -> T:
        """Return the content, at most MAX_AGE_S old; ``fresh`` ignores the cache.

        Raises ClientError and the errors of parsing.
        """
        if fresh or self._cached is None or self._now() - self._read_at > MAX_AGE_S:
            self._cached = self._parse(self._client.get_secret_value(SecretId=self._secret_arn))
            self._read_at = self._now()
        return self._cached

    @abstractmethod
    def _parse(self, answer: GetSecretValueResponseTypeDef) -> T:
        """Return the content in a response of Secrets Manager."""


class AccountCodeSecret(_CachedSecret[AccountCode]):
    """Reads the code from one secret; ``code_in`` extracts it from the text of the secret."""

    def __init__(
        self,
        client: SecretsManagerClient,
        secret_arn: str,
        now: Callable[[], float],
        code_in: Callable[[str], str] = str.strip,
    ) -> None:
        super().__init__(client, secret_arn, now)
        self._code_in = code_in

    def _parse(self, answer: GetSecretValueResponseTypeDef) -> AccountCode:
        return AccountCode(self._code_in(answer["SecretString"]), answer["VersionId"])


class AccountsSecret(_CachedSecret[Accounts]):
    """Reads the list; raises AccountsError. ``own`` is the name of the stack's own account."""

    def __init__(self, client: SecretsManagerClient, secret_arn: str, own: str, now: Callable[[], float]) -> None:
        super().__init__(client, secret_arn, now)
        self._own = own

    def _parse(self, answer: GetSecretValueResponseTypeDef) -> Accounts:
        return accounts_in(answer.get("SecretString", ""), self._own)


def accounts_in(text: str, own: str) -> Accounts:
    """Return the accounts in ``text``; ``own`` is the name of the stack's own account. Raises AccountsError."""
    by_name: dict[str, Account] = {}
    problems: list[str] = []
    for name, described in _object(text).items():
        account, wrong = _account(name, described)
        if name == own:
            wrong.append("the stack's own account has this name")
        if any((account.base_url, account.code) == (other.base_url, other.code) for other in by_name.values()):
            # Under two names, one account would get requests at twice its rate.
            wrong.append("another account has the same code at the same address")
        if wrong:
            # An invalid name may be a code in the wrong place, so the message does not repeat it.
            shown = name if _ACCOUNT_NAME.fullmatch(name) else "with an invalid name"
            problems.append(f"Account {shown} of the accounts secret is not watched: {'; '.join(wrong)}.")
        else:
            by_name[name] = account
    return Accounts(by_name, tuple(problems))


def code_in(text: str, name: str) -> str:
    """Return the code of the account ``name``; raises AccountsError."""
    code = _AccountFields(_object(text).get(name)).text("code")
    if not code:
        raise AccountsError(f"The accounts secret has no code for account {name}.")
    return code


def _account(name: str, described: object) -> tuple[Account, list[str]]:
    """Return one account, and the problems of its description."""
    given = _AccountFields(described)
    if not _ACCOUNT_NAME.fullmatch(name):
        given.wrong.append("a name has 1 to 32 lowercase letters, digits and hyphens")
    dialect = given.get("dialect", Dialect, f"one of {', '.join(Dialect)}") or Dialect.LEGACY
    base_url = given.get("base_url", parse_base_url, "an http:// or https:// address") or DEFAULT_BASE_URLS[dialect]
    account = Account(
        name=name,
        base_url=base_url_for(dialect, base_url),
        dialect=dialect,
        requests_per_second=given.get("requests_per_second", _rate, f"a number from {_RATES[0]:g} to {_RATES[1]:g}"),
        initial_sync=given.get("initial_sync", InitialSync, f"one of {', '.join(InitialSync)}"),
        code=given.text("code"),
    )
    return account, given.wrong


class _AccountFields:
    """Reads the fields of one account and collects their problems."""

    def __init__(self, described: object) -> None:
        self.wrong: list[str] = []
        self._fields: Mapping[str, object] = described if isinstance(described, dict) else {}
        if unknown := len(self._fields.keys() - set(_ACCOUNT_FIELDS)):
            self.wrong.append(f"{unknown} of its fields are none of {', '.join(_ACCOUNT_FIELDS)}")

    def get(self, name: str, parse: Callable[[str], T], expected: str) -> T | None:
        """Return the parsed field; None if it is absent or invalid."""
        given = self._fields.get(name)
        if given is None:
            return None
        try:
            return parse(str(given))
        except ValueError:
            self.wrong.append(f"{name} is not {expected}")
            return None

    def text(self, name: str) -> str:
        """Return a required text; empty if it is missing or not text."""
        given = self._fields.get(name)
        if isinstance(given, str) and given.strip():
            return given.strip()
        self.wrong.append(f"{name} is missing or not text")
        return ""


def _rate(raw: str) -> float:
    rate = float(raw)
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ValueError(raw)
    return rate


def _object(text: str) -> dict[str, object]:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        # Drop the error of json, because it contains the whole text.
        listed = None
    if not isinstance(listed, dict):
        raise AccountsError("The accounts secret is not a JSON object of accounts by name.")
    return listed
