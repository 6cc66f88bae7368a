"""``examhook events redrive``: invokes Dispatch until it has checked every submission."""

from __future__ import annotations

from collections import Counter
from time import time
from typing import Annotated

import typer

from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.options import AsJson, parse_since
from examhook_cli.output import complain, counted, print_json, say, waiting

_COUNTS = ("scanned", "missing", "dispatched", "failed", "unreadable")


def redrive(
    context: typer.Context,
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Check submissions stored since 2026-05-03T14:02:00Z, 36h, 3d.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count missing events without sending them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send missing events of stored submissions.

    Builds each event that was never announced from the stored submission.

    Example: examhook events redrive --since 36h --dry-run
    """
    installation = installation_of(context)
    request = {"since": parse_since(since, time()), "dry_run": dry_run}
    total: Counter[str] = Counter()
    reason: str | None = None
    place: object = None
    with waiting("Looking for missing events …"):
        while True:
            payload = {"redrive": {**request, "place": place}}
            result = installation.invoke("Dispatch", payload, "The redrive failed")
            total.update(_counts(result))
            reason = str(result["reason"]) if result.get("reason") else reason
            place = result.get("next_place")
            if place is None:
                break
    if as_json:
        print_json({"dry_run": dry_run, **{name: total[name] for name in _COUNTS}, "reason": reason})
    else:
        sent = "" if dry_run else f", {total['dispatched']} sent"
        say(f"{total['scanned']} submissions checked: {counted(total['missing'], 'event')} missing{sent}.")
    if total["unreadable"]:
        complain(f"This version cannot read {total['unreadable']} submissions: deploy the newest and try again.")
    if total["failed"]:
        raise CommandError(f"{total['failed']} events could not be sent ({reason}): try again.")


def _counts(result: dict[str, object]) -> dict[str, int]:
    counts = {name: count for name in _COUNTS if isinstance(count := result.get(name), int)}
    if len(counts) < len(_COUNTS):
        raise CommandError("Dispatch returned an unknown result: deploy the stack with this version.")
    return counts
