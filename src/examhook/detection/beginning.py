"""When the watch on an account began, put right where the provider's clock was ahead at that moment.

What ended before the watch began is old news. A beginning that is still to come would make old news of what ends
until then, so it is moved to where the provider's clock, as it goes now, puts it.
"""

from __future__ import annotations

from dataclasses import replace

from examhook.detection.watch import AccountWatch


def put_right(watch: AccountWatch, listed_at: int, now: int) -> AccountWatch:
    """``watch`` as it began by the clock that the provider shows at ``listed_at``; ``now`` is the same by ours.

    Only where both clocks say that the beginning is to come: one answer by a clock that is hours behind moves nothing,
    or old news would be announced.
    """
    if watch.began_at <= max(listed_at, now):
        return watch
    lasted_s = 0 if watch.began_here_at is None else max(0, now - watch.began_here_at)
    return replace(watch, began_at=listed_at - lasted_s)
