"""Account codes in Secrets Manager: the code of the stack's own account, and the list of further accounts.

The list is a JSON object by account name::

    {"north": {"code": "…", "base_url": "https://exams.north.example", "requests_per_second": 2},
     "south": {"code": "…", "dialect": "v1", "initial_sync": "announce"}}

Only ``code`` is required. An invalid account is left out and reported; the others are watched. Errors:

::

    AccountsError    no retry helps until the secret is fixed; it names accounts and fields, never their values
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
"""As the template limits them for the stack's own account."""


class AccountsError(ValueError):
    """The list cannot be read, or lacks an account."""


@dataclass(frozen=True, slots=True)
class AccountCode:
    """The code, and which version of the secret holds it."""

    code: str = field(repr=False)
    secret_version: str


@dataclass(frozen=True, slots=True)
class Account:
    """One further account; None stands for the stack's parameter."""

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
    """Which accounts were left out and why, a sentence each."""


class _CachedSecret(Generic[T]):
    """One secret, read again when its content is too old."""

    def __init__(self, client: SecretsManagerClient, secret_arn: str, now: Callable[[], float]) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._now = now
        self._cached: T | None = None
        self._read_at = 0.0

    def read(self, *, fresh: bool = False) -> T:
        """The content, at most MAX_AGE_S old unless ``fresh``; raises ClientError, and what parsing raises."""
        if fresh or self._cached is None or self._now() - self._read_at > MAX_AGE_S:
            self._cached = self._parse(self._client.get_secret_value(SecretId=self._secret_arn))
            self._read_at = self._now()
        return self._cached

    @abstractmethod
    def _parse(self, answer: GetSecretValueResponseTypeDef) -> T:
        """The content of the secret."""


class AccountCodeSecret(_CachedSecret[AccountCode]):
    """Reads the code from one secret, which holds nothing else unless ``code_in`` finds the code in it."""

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
    """Reads the list, or raises AccountsError; ``own`` is the name of the account in the stack's parameters."""

    def __init__(self, client: SecretsManagerClient, secret_arn: str, own: str, now: Callable[[], float]) -> None:
        super().__init__(client, secret_arn, now)
        self._own = own

    def _parse(self, answer: GetSecretValueResponseTypeDef) -> Accounts:
        return accounts_in(answer.get("SecretString", ""), self._own)


def accounts_in(text: str, own: str) -> Accounts:
    """The accounts in ``text``, other than the stack's ``own``; raises AccountsError."""
    by_name: dict[str, Account] = {}
    problems: list[str] = []
    for name, described in _object(text).items():
        account, wrong = _account(name, described)
        if name == own:
            wrong.append("the account in the stack's parameters has this name")
        if any((account.base_url, account.code) == (other.base_url, other.code) for other in by_name.values()):
            # Under two names, one account would receive requests at twice its rate.
            wrong.append("another account has the same code at the same address")
        if wrong:
            # An invalid name may be a code in the wrong place, so the message does not repeat it.
            shown = name if _ACCOUNT_NAME.fullmatch(name) else "with an invalid name"
            problems.append(f"Account {shown} of the accounts secret is not watched: {'; '.join(wrong)}.")
        else:
            by_name[name] = account
    return Accounts(by_name, tuple(problems))


def code_in(text: str, name: str) -> str:
    """The code of the account called ``name``; raises AccountsError."""
    code = _AccountFields(_object(text).get(name)).text("code")
    if not code:
        raise AccountsError(f"The accounts secret has no code for account {name}.")
    return code


def _account(name: str, described: object) -> tuple[Account, list[str]]:
    """One account, and what is wrong with its description."""
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
    """Reads the fields of one account and collects everything that is wrong with them."""

    def __init__(self, described: object) -> None:
        self.wrong: list[str] = []
        self._fields: Mapping[str, object] = described if isinstance(described, dict) else {}
        if unknown := len(self._fields.keys() - set(_ACCOUNT_FIELDS)):
            self.wrong.append(f"{unknown} of its fields are none of {', '.join(_ACCOUNT_FIELDS)}")

    def get(self, name: str, parse: Callable[[str], T], expected: str) -> T | None:
        """``parse`` of a field; None where it is absent or invalid."""
        given = self._fields.get(name)
        if given is None:
            return None
        try:
            return parse(str(given))
        except ValueError:
            self.wrong.append(f"{name} is not {expected}")
            return None

    def text(self, name: str) -> str:
        """A required field of text."""
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
        # The error of json holds the whole text, so it is not passed on.
        listed = None
    if not isinstance(listed, dict):
        raise AccountsError("The accounts secret is not a JSON object of accounts by name.")
    return listed
