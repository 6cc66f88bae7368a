"""Starts one poll for each account of a stack, several times a minute if configured.

::

    schedule ─▶ Poll ─┬─▶ sends a delayed message for each further tick of the minute ─▶ Poll ─┐
                      │                                                                        │
                      ├─▶ invokes itself once for each further account, with its name       ◀──┤
                      └─▶ polls the stack's own account                                     ◀──┘

Each poll therefore has its own invocation, time limit and lease. A stack with one account that is polled once a minute
sends no messages and invokes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from examhook.destinations.tick_queue import TickQueue
from examhook.detection.intervals import Tick
from examhook.storage.account_secrets import Account, AccountsError, AccountsSecret
from examhook.workflows.polling.poll import Poll

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class UnknownAccountError(ValueError):
    """The stack has no account of this name; a retry does not help."""


class TickError(RuntimeError):
    """Some polls could not be started. The message names them and the reason. The next tick tries again."""


@dataclass(slots=True)
class AccountPolls:
    """The polls of all accounts of a stack. It lives as long as the process, so that each account keeps its pace."""

    own: Poll
    build: Callable[[Account], Poll]
    secret: AccountsSecret | None
    """The list of further accounts; None if there are none."""
    functions: LambdaClient | None
    ticks: TickQueue | None = None
    """The queue of delayed polls; None if polls are a minute or more apart."""
    _built: dict[str, tuple[Account, Poll]] = field(default_factory=dict)

    def of(self, name: str | None) -> Poll:
        """Return the poll of an account; ``name`` None means the stack's own account.

        Raises UnknownAccountError, AccountsError, ClientError.
        """
        if name in {None, self.own.settings.account}:
            return self.own
        account = None
        if self.secret is not None and isinstance(name, str):
            account = self.secret.read().by_name.get(name)
            # The account may have been added since the secret was read.
            account = account or self._read_again(self.secret, name)
        if account is None:
            # Do not repeat the name: it may be an account code in the wrong place.
            raise UnknownAccountError(f"This stack watches no account of that name. It watches {self._watched()}.")
        built_from, poll = self._built.get(account.name, (None, None))
        if poll is None or built_from != account:
            poll = self.build(account)
            self._built[account.name] = (account, poll)
        return poll

    def order(self, ticks: Sequence[Tick]) -> list[str]:
        """Send a delayed message for each tick; return failures, a sentence each."""
        if self.ticks is None or not ticks:
            return []
        try:
            refused = self.ticks.send(ticks)
        except (BotoCoreError, ClientError) as error:
            return [f"The further polls of this minute could not be scheduled: {error}"]
        return [f"SQS rejected {refused} of {len(ticks)} further polls of this minute."] if refused else []

    def start_others(self, function_name: str, expires_at: float) -> list[str]:
        """Invoke a poll of each further account that must begin before ``expires_at``.

        Return failures, a sentence each.
        """
        if self.secret is None or self.functions is None:
            return []
        try:
            accounts = self.secret.read()
        except AccountsError as error:
            return [str(error)]
        except (BotoCoreError, ClientError) as error:
            return [f"The accounts secret could not be read: {error}"]
        problems = list(accounts.problems)
        for name in accounts.by_name:
            try:
                self.functions.invoke(
                    FunctionName=function_name,
                    InvocationType="Event",
                    Payload=json.dumps({"trigger": "schedule", "account": name, "expires_at": expires_at}).encode(),
                )
            except (BotoCoreError, ClientError) as error:
                problems.append(f"The poll of account {name} could not be started: {error}")
        return problems

    def _read_again(self, secret: AccountsSecret, name: str) -> Account | None:
        accounts = secret.read(fresh=True)
        problem = next((problem for problem in accounts.problems if problem.startswith(f"Account {name} ")), None)
        if problem is not None:
            raise AccountsError(problem)
        return accounts.by_name.get(name)

    def _watched(self) -> str:
        others = self.secret.read().by_name if self.secret is not None else ()
        return " and ".join([self.own.settings.account, *others])
