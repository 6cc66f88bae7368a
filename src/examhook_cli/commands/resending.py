"""Shared by ``events replay`` and ``deliveries retry``."""

from __future__ import annotations

from collections import Counter
from time import time

from examhook.delivery.endpoint import Endpoint
from examhook.workflows.administration.replay import Replay, Resent
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation
from examhook_cli.output import counted, print_json, say


def replay_of(installation: Installation, *, dry_run: bool) -> Replay:
    """The use case that sends events again."""
    retention_days = installation.retention_days
    return Replay(installation.deliveries, installation.delivery_queue, time, retention_days, dry_run=dry_run)


def enabled_endpoint(installation: Installation, endpoint_id: str) -> Endpoint:
    """One endpoint; raises CommandError if it does not exist or is disabled."""
    endpoint = installation.endpoint(endpoint_id)
    if not endpoint.is_enabled:
        raise CommandError(
            f"Endpoint {endpoint_id} is disabled ({endpoint.disabled_reason}): "
            f"first run examhook endpoints enable {endpoint_id}"
        )
    return endpoint


def print_resent(counts: Counter[Resent], *, as_json: bool, dry_run: bool, events: int | None = None) -> None:
    """Print the number of deliveries by outcome."""
    if as_json:
        facts: dict[str, object] = {outcome.value: counts[outcome] for outcome in Resent}
        print_json({"dry_run": dry_run, **({} if events is None else {"events": events}), **facts})
        return
    parts = [f"{counted(counts[Resent.QUEUED], 'delivery', 'deliveries')} {'would be sent' if dry_run else 'queued'}"]
    if counts[Resent.ON_ITS_WAY]:
        parts.append(f"{counts[Resent.ON_ITS_WAY]} already queued")
    if counts[Resent.ALREADY_DELIVERED]:
        parts.append(f"{counts[Resent.ALREADY_DELIVERED]} already delivered")
    say(f"{'; '.join(parts)}.")
