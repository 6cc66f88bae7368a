"""``examhook events redrive``: send what was noticed and never announced."""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import time
from typing import Annotated

import typer

from examhook_cli.options import since_time
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.output import complain, print_json, say, waiting

_COUNTS = ("scanned", "missing", "dispatched", "failed", "unreadable")


@dataclass(slots=True)
class _Total:
    """What all goes together did."""

    scanned: int = 0
    missing: int = 0
    dispatched: int = 0
    failed: int = 0
    unreadable: int = 0
    reason: str | None = None

    def add(self, answer: dict[str, object]) -> None:
        """Count one go; raises CommandError for an answer in another form."""
        for name in _COUNTS:
            count = answer.get(name)
            if not isinstance(count, int):
                raise CommandError("The Dispatch function answered in another form: deploy the stack anew.")
            setattr(self, name, getattr(self, name) + count)
        self.reason = str(answer["reason"]) if answer.get("reason") else self.reason


def redrive(
    context: typer.Context,
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Look at what was noticed since: 2026-05-03T14:02:00Z, a day, 36h.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing, and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Rebuild events that were never announced from what is stored of each submission, and send them."""
    from_time = since_time(since, time())
    installation = installation_of(context)
    total = _Total()
    place: object = None
    with waiting("Looking for missing events …"):
        while True:
            answer = _go(installation, from_time, place, dry_run=dry_run)
            total.add(answer)
            place = answer.get("next_place")
            if place is None:
                break
    if as_json:
        print_json({"dry_run": dry_run, **{name: getattr(total, name) for name in _COUNTS}, "reason": total.reason})
    else:
        said = f"{total.missing} missing" if dry_run else f"{total.dispatched} of {total.missing} missing ones sent"
        say(f"{total.scanned} submissions looked at: {said}.")
    if total.unreadable:
        complain(f"{total.unreadable} submissions could not be read by this version: deploy the newest and try again.")
    if total.failed:
        raise CommandError(f"Events of {total.failed} submissions could not be sent ({total.reason}): try again.")


def _go(installation: Installation, since: int, place: object, *, dry_run: bool) -> dict[str, object]:
    """One invocation of Dispatch, which looks through as much as it has time for."""
    answer = installation.functions.invoke(
        FunctionName=installation.stack.output("DispatchFunctionName"),
        InvocationType="RequestResponse",
        Payload=json.dumps({"redrive": {"since": since, "place": place, "dry_run": dry_run}}).encode(),
    )
    try:
        said = json.loads(answer["Payload"].read())
    except ValueError:
        said = None
    facts: dict[str, object] = said if isinstance(said, dict) else {}
    if answer.get("FunctionError"):
        reason = facts.get("errorMessage") or facts.get("errorType") or "the function gave no reason; see its log"
        raise CommandError(f"The redrive broke off: {reason}")
    return facts
