"""What the commands that send again have in common."""

from __future__ import annotations

from collections import Counter
from time import time

from examhook.delivery.endpoint import Endpoint
from examhook.workflows.administration.replay import Replay, Resent
from examhook_cli.commands.endpoint_options import find_endpoint
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation
from examhook_cli.output import print_json, say

_EXPIRY_LATE_DAYS = 2
"""DynamoDB removes expired items within this time."""


def oldest_kept(installation: Installation, now: float) -> int:
    """Unix seconds before which no event is kept; a day costs a query, so none is asked for that is forgotten."""
    return int(now) - (int(installation.stack.output("RetentionDays")) + _EXPIRY_LATE_DAYS) * 86_400


def replay_of(installation: Installation, *, dry_run: bool) -> Replay:
    """What sends again at this installation."""
    retention_days = int(installation.stack.output("RetentionDays"))
    return Replay(installation.deliveries, installation.delivery_queue, time, retention_days, dry_run=dry_run)


def enabled_endpoint(installation: Installation, endpoint_id: str) -> Endpoint:
    """One endpoint that events are sent to; raises CommandError."""
    endpoint = find_endpoint(installation, endpoint_id)
    if not endpoint.is_enabled:
        raise CommandError(
            f"Endpoint {endpoint_id} is disabled ({endpoint.disabled_reason}): "
            f"first run examhook endpoints enable {endpoint_id}"
        )
    return endpoint


def print_resent(counts: Counter[Resent], *, as_json: bool, dry_run: bool, events: int | None = None) -> None:
    """How many deliveries became what."""
    if as_json:
        facts: dict[str, object] = {outcome.value: counts[outcome] for outcome in Resent}
        print_json({"dry_run": dry_run, **({} if events is None else {"events": events}), **facts})
        return
    queued = counts[Resent.QUEUED]
    deliveries = f"{queued} delivery" if queued == 1 else f"{queued} deliveries"
    rest = ", ".join(
        f"{counts[outcome]} {words}"
        for outcome, words in (
            (Resent.ON_ITS_WAY, "on their way already"),
            (Resent.ALREADY_DELIVERED, "delivered before"),
        )
        if counts[outcome]
    )
    verb = "would be sent" if dry_run else ("goes out" if queued == 1 else "go out")
    say(f"{deliveries} {verb}{f'; {rest}' if rest else ''}.")
