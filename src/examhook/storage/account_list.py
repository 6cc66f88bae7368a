"""The list of further accounts, a JSON object: each account's name, and what there is to say of it.

::

    {"north": {"code": "…", "base_url": "https://exams.north.example", "requests_per_second": 2},
     "south": {"code": "…", "dialect": "v1", "initial_sync": "announce"}}

Only ``code`` must be given. An account that is described wrongly is left out and told of; the others
are watched all the same. Errors:

::

    AccountsError    no, until somebody puts the secret right; it names accounts and fields, never what they hold
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from examhook.settings import DEFAULT_BASE_URLS, Dialect, InitialSync, base_url_for, parse_base_url

T = TypeVar("T")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_FIELDS = ("base_url", "code", "dialect", "initial_sync", "requests_per_second")
_RATES = (0.1, 10.0)
"""As the template has them for its own account."""


class AccountsError(ValueError):
    """The list cannot be understood, or lacks an account."""


@dataclass(frozen=True, slots=True)
class Account:
    """One further account; None stands for what the stack's parameters say."""

    name: str
    base_url: str
    dialect: Dialect
    requests_per_second: float | None
    initial_sync: InitialSync | None
    code: str = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the list says."""

    by_name: Mapping[str, Account]
    problems: tuple[str, ...] = ()
    """Which accounts were left out and why, a sentence each."""


def accounts_in(text: str, own: str) -> Accounts:
    """The accounts that ``text`` lists beside the stack's ``own``; raises AccountsError."""
    by_name: dict[str, Account] = {}
    problems: list[str] = []
    for name, described in _object(text).items():
        account, wrong = _account(name, described)
        if name == own:
            wrong.append("the account that the stack's parameters describe has this name")
        if any((account.base_url, account.code) == (other.base_url, other.code) for other in by_name.values()):
            # Asked under two names, one account would be asked twice as often as it may be.
            wrong.append("another account has the same code at the same address")
        if wrong:
            # What is no name may be a code in the wrong place, so it is not repeated.
            shown = name if _NAME.fullmatch(name) else "with a name that is none"
            problems.append(f"Account {shown} of the accounts secret is not watched: {'; '.join(wrong)}.")
        else:
            by_name[name] = account
    return Accounts(by_name, tuple(problems))


def code_in(text: str, name: str) -> str:
    """The code of the account called ``name``; raises AccountsError."""
    described = _object(text).get(name)
    code = _Described(described).text("code")
    if not code:
        raise AccountsError(f"The accounts secret holds no code of account {name}.")
    return code


def _account(name: str, described: object) -> tuple[Account, list[str]]:
    """What is said of one account, and what is wrong with it."""
    said = _Described(described)
    if not _NAME.fullmatch(name):
        said.wrong.append("a name is 1 to 32 small letters, digits and hyphens")
    dialect = said.get("dialect", Dialect, f"one of {', '.join(Dialect)}") or Dialect.LEGACY
    base_url = said.get("base_url", parse_base_url, "an http:// or https:// address") or DEFAULT_BASE_URLS[dialect]
    account = Account(
        name=name,
        base_url=base_url_for(dialect, base_url),
        dialect=dialect,
        requests_per_second=said.get("requests_per_second", _rate, f"a number from {_RATES[0]:g} to {_RATES[1]:g}"),
        initial_sync=said.get("initial_sync", InitialSync, f"one of {', '.join(InitialSync)}"),
        code=said.text("code"),
    )
    return account, said.wrong


class _Described:
    """Reads the fields of one account and gathers what is wrong with them, so that all of it is said at once."""

    def __init__(self, described: object) -> None:
        self.wrong: list[str] = []
        self._fields: Mapping[str, object] = described if isinstance(described, dict) else {}
        if unknown := len(self._fields.keys() - set(_FIELDS)):
            self.wrong.append(f"{unknown} of its fields are none of {', '.join(_FIELDS)}")

    def get(self, name: str, parse: Callable[[str], T], wanted: str) -> T | None:
        """``parse`` of a field; None where it is absent, or wrong."""
        given = self._fields.get(name)
        if given is None:
            return None
        try:
            return parse(str(given))
        except ValueError:
            self.wrong.append(f"{name} is not {wanted}")
            return None

    def text(self, name: str) -> str:
        """A field that must hold text."""
        given = self._fields.get(name)
        if isinstance(given, str) and given.strip():
            return given.strip()
        self.wrong.append(f"{name} is missing, or no text")
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
        # The reason that json gives holds the whole text.
        listed = None
    if not isinstance(listed, dict):
        raise AccountsError("The accounts secret is no JSON object that holds accounts by name.")
    return listed
