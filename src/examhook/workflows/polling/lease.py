"""One poll of an account at a time: a lease that expires, and a fencing value that rejects whoever outlived it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from examhook.storage.exams import ExamsTable

LEASE_SECONDS = 90.0
"""A poll that dies delays the next one by this much at most."""


class LeaseLostError(Exception):
    """Another poll holds the lease now, so this one must not write. The next tick continues."""


@dataclass(slots=True)
class Lease:
    """The right to poll one account."""

    table: ExamsTable
    account: str
    owner: str
    fence: int
    """Grows with every lease of the account, so that a late write of an older poll is recognized."""
    expires_at: float
    now: Callable[[], float]

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
        table.release_lease(account, owner)


def _take(table: ExamsTable, account: str, owner: str, now: float) -> int | None:
    return table.take_lease(account, owner, now_ms=int(now * 1000), expires_at_ms=int((now + LEASE_SECONDS) * 1000))
