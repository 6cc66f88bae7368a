"""One poll of an account at a time: a lease with an end, and a value that fences off whoever outlived it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from examhook.storage.exams import ExamsTable
from examhook.storage.lease_item import AsBefore, Awaited

LEASE_SECONDS = 90.0
"""A poll that dies holds up the next one for at most so long."""


class LeaseLostError(Exception):
    """Another poll holds the lease now; what this one saw is of no more use. The next tick goes on."""


@dataclass(slots=True)
class Lease:
    """The right to poll one account."""

    table: ExamsTable
    account: str
    owner: str
    fence: int
    """Grows with every lease of the account, so that a late write of an old poll can be told."""
    expires_at: float
    now: Callable[[], float]
    completed_at: int | None = None
    """When the poll came to its end, Unix seconds; written when the lease is given back, for the price of nothing."""
    awaited: Awaited | AsBefore | None = "as before"
    """What is awaited after this poll; written with it."""
    announced: Awaited | None = None
    """The first event that this poll announced."""

    def keep(self) -> None:
        """Prolong the lease when half of it has passed; raises LeaseLostError."""
        now = self.now()
        if self.expires_at - now > LEASE_SECONDS / 2:
            return
        expires_at = now + LEASE_SECONDS
        if not self.table.prolong_lease(self.account, self.owner, expires_at_ms=int(expires_at * 1000)):
            raise LeaseLostError(f"another poll of account {self.account} took over")
        self.expires_at = expires_at


@contextmanager
def lease_on(
    table: ExamsTable,
    account: str,
    *,
    now: Callable[[], float],
    sleep: Callable[[float], None],
    patience_s: float = 0.0,
) -> Iterator[Lease | None]:
    """Hold the account's lease, waiting ``patience_s`` for it; None when another poll holds it."""
    owner = uuid.uuid4().hex
    give_up_at = now() + patience_s
    while (fence := _take(table, account, owner, now())) is None and now() < give_up_at:
        sleep(1.0)
    if fence is None:
        yield None
        return
    lease = Lease(table, account, owner, fence, now() + LEASE_SECONDS, now)
    try:
        yield lease
    finally:
        table.release_lease(account, owner, completed_at=lease.completed_at, awaited=lease.awaited)


def _take(table: ExamsTable, account: str, owner: str, now: float) -> int | None:
    return table.take_lease(account, owner, now_ms=int(now * 1000), expires_at_ms=int((now + LEASE_SECONDS) * 1000))
