"""The lease of an account, so that only one poll runs at a time. Writes carry its fencing token."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from examhook.storage.exams import ExamsTable

LEASE_S = 90.0
"""Duration of a lease. A poll that dies delays the next poll by at most this time."""


class LeaseLostError(Exception):
    """Another poll took the lease, so this poll must not write. The next poll continues."""


@dataclass(slots=True)
class Lease:
    """The right to poll one account."""

    table: ExamsTable
    account: str
    owner: str
    fence: int
    """Grows with each lease of the account, so that tables reject late writes of older polls."""
    expires_at: float
    now: Callable[[], float]

    def keep(self) -> None:
        """Extend the lease when half of it has passed; raises LeaseLostError."""
        now = self.now()
        if self.expires_at - now > LEASE_S / 2:
            return
        expires_at = now + LEASE_S
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
    """Hold the account's lease; yield None if another poll still holds it after ``patience_s``."""
    owner = uuid.uuid4().hex
    give_up_at = now() + patience_s
    while True:
        asked_at = now()
        expires_at_ms = int((asked_at + LEASE_S) * 1000)
        fence = table.take_lease(account, owner, now_ms=int(asked_at * 1000), expires_at_ms=expires_at_ms)
        if fence is not None or now() >= give_up_at:
            break
        sleep(1.0)
    if fence is None:
        yield None
        return
    try:
        yield Lease(table, account, owner, fence, now() + LEASE_S, now)
    finally:
        table.release_lease(account, owner)
