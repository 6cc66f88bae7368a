"""Which accounts a stack watches, and how one tick of the schedule becomes several polls of each.

::

    schedule ─▶ Poll ─┬─▶ sends a delayed message for each further tick of the minute ─▶ Poll ─┐
                      │                                                                        │
                      ├─▶ starts itself once for each further account, with its name        ◀──┤
                      └─▶ polls the account of the stack's parameters itself                ◀──┘

So each poll has its own invocation: its own time and its own lease. A stack with one account that is polled each
minute starts nothing and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from examhook.destinations.tick_queue import TickQueue
from examhook.detection.ticks import Tick
from examhook.storage.account_secrets import Account, AccountsError, AccountsSecret
from examhook.workflows.polling.poll import Poll

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class UnknownAccountError(ValueError):
    """The stack watches no account of that name; trying again does not help."""


class TickError(RuntimeError):
    """Some polls could not be started; the message says which and why. The next tick tries again."""


@dataclass(slots=True)
class AccountPolls:
    """The polls of all accounts of a stack; kept for as long as the process lives, so that each keeps its pace."""

    own: Poll
    build: Callable[[Account], Poll]
    secret: AccountsSecret | None
    """The list of further accounts; None where the stack has none."""
    functions: LambdaClient | None
    ticks: TickQueue | None = None
    """Where polls between two ticks of the schedule are ordered; None where there are none."""
    _built: dict[str, tuple[Account, Poll]] = field(default_factory=dict)

    def of(self, name: str | None) -> Poll:
        """The poll of one account, None for the stack's own; raises UnknownAccountError, AccountsError, ClientError."""
        if name in {None, self.own.settings.account}:
            return self.own
        account = None
        if self.secret is not None and isinstance(name, str):
            account = self.secret.read().by_name.get(name)
            # Somebody may have added it just now.
            account = account or self._read_anew(self.secret, name)
        if account is None:
            # What is no name may be a code in the wrong place, so it is not repeated.
            raise UnknownAccountError(f"This stack watches no account of that name: there is {self._watched()}.")
        described, poll = self._built.get(account.name, (None, None))
        if poll is None or described != account:
            poll = self.build(account)
            self._built[account.name] = (account, poll)
        return poll

    def order(self, ticks: Sequence[Tick]) -> list[str]:
        """Have these ticks come later; what went wrong, a sentence each."""
        if self.ticks is None or not ticks:
            return []
        try:
            refused = self.ticks.send(ticks)
        except (BotoCoreError, ClientError) as error:
            return [f"The further polls of this minute could not be ordered: {error}"]
        return [f"SQS refused {refused} of {len(ticks)} further polls of this minute."] if refused else []

    def start_others(self, function_name: str, expires_at: float) -> list[str]:
        """Start a poll of each further account, to begin before ``expires_at``; what went wrong, a sentence each."""
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

    def _read_anew(self, secret: AccountsSecret, name: str) -> Account | None:
        accounts = secret.read(fresh=True)
        problem = next((said for said in accounts.problems if said.startswith(f"Account {name} ")), None)
        if problem is not None:
            raise AccountsError(problem)
        return accounts.by_name.get(name)

    def _watched(self) -> str:
        others = self.secret.read().by_name if self.secret is not None else ()
        return " and ".join([self.own.settings.account, *others])
