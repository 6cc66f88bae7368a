"""``examhook backfill``: announce once more, from what the provider shows, what was lost or forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import time
from typing import Annotated

import typer

from examhook_cli.options import since_time, split_list
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.output import complain, print_json, progress, say

_COUNTS = ("requests", "exams", "exams_left", "rows_under_way", "announced", "known")
BUSY_GOES = 10
"""So many goes in a row may find another poll running; each has waited for a minute then."""


@dataclass(slots=True)
class _Total:
    """What all goes together did."""

    requests: int = 0
    exams: int = 0
    announced: int = 0
    known: int = 0
    errors: list[str] = field(default_factory=list)
    """Of the last go: the next one tries again."""
    notes: list[str] = field(default_factory=list)

    def add(self, go: _Go) -> None:
        """Count one go."""
        self.requests += go.counts["requests"]
        self.exams = max(self.exams, go.counts["exams"])
        self.announced += go.counts["announced"]
        self.known += go.counts["known"]
        self.errors = go.errors
        self.notes += [note for note in go.notes if note not in self.notes]


@dataclass(frozen=True, slots=True)
class _Go:
    """What one invocation answered."""

    counts: dict[str, int]
    errors: list[str]
    notes: list[str]
    busy: bool
    done: bool
    place: object

    @property
    def standing(self) -> tuple[int, int, str]:
        """What changes with each go that comes further."""
        return self.counts["exams_left"], self.counts["rows_under_way"], json.dumps(self.place, sort_keys=True)


def backfill(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Announce what happened since: 2026-05-03T14:02:00Z, a day, 36h.")
    ],
    account: Annotated[
        str | None, typer.Option(metavar="NAME", help="The account to ask about; without it, the stack's own.")
    ] = None,
    exam: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this exam; may be repeated, or hold several with commas."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and record as any poll does, count, and announce nothing again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read every exam from the provider and announce what happened since a time, unless it is known as announced."""
    wish: dict[str, object] = {
        "since": since_time(since, time()),
        "exam_ids": list(split_list(exam)) or None,
        "dry_run": dry_run,
    }
    total = _run(installation_of(context), account, wish)
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "requests": total.requests,
                "exams": total.exams,
                "announced": total.announced,
                "known": total.known,
                "complete": not (total.errors or total.notes),
                "errors": total.errors,
                "notes": total.notes,
            }
        )
    else:
        verb = "would be announced" if dry_run else "announced"
        say(
            f"{_counted(total.exams, 'exam')}, {_counted(total.requests, 'request')}: "
            f"{_counted(total.announced, 'event')} {verb}, {total.known} known as announced before."
        )
    for error in total.errors:
        complain(error)
    if total.notes:
        complain(f"Not all of it could be read: {'; '.join(total.notes)}. Do it again later: nothing comes twice.")
    if total.errors or total.notes:
        raise typer.Exit(1)


def _run(installation: Installation, account: str | None, wish: dict[str, object]) -> _Total:
    """Every go, one after the other; raises CommandError where none comes further any more."""
    total = _Total()
    place: object = None
    standing, busy = None, 0
    with progress("Reading exams", 1) as show:
        while True:
            go = _go(installation, {"account": account, "backfill": {**wish, "place": place}})
            total.add(go)
            place = go.place if go.place is not None else place
            if go.done:
                return total
            busy = busy + 1 if go.busy else 0
            if busy > BUSY_GOES or (not go.busy and (place is None or go.standing == standing)):
                raise CommandError(f"The backfill came to a standstill. {_why(go)}")
            standing = None if go.busy else go.standing
            show(_part(go))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _part(go: _Go) -> float:
    """How much of the reading is done, from 0 to 1."""
    exams, left = go.counts["exams"], go.counts["exams_left"]
    return (exams - left) / exams if exams else 0.0


def _why(go: _Go) -> str:
    reasons = " ".join(go.errors) or "; ".join(go.notes) or "It was given no time to do anything."
    return f"{reasons} Run the same command again when that is put right: it goes on, and nothing comes twice."


def _go(installation: Installation, command: dict[str, object]) -> _Go:
    """One invocation of Poll, which does as much as it has time for."""
    answer = installation.functions.invoke(
        FunctionName=installation.stack.output("PollFunctionName"),
        InvocationType="RequestResponse",
        Payload=json.dumps(command).encode(),
    )
    try:
        said = json.loads(answer["Payload"].read())
    except ValueError:
        said = None
    facts: dict[str, object] = said if isinstance(said, dict) else {}
    if answer.get("FunctionError"):
        reason = facts.get("errorMessage") or facts.get("errorType") or "the function gave no reason; see its log"
        raise CommandError(f"The backfill broke off: {reason} Run the same command again, and it goes on.")
    counts = {name: count for name in _COUNTS if isinstance(count := facts.get(name), int)}
    errors, notes = facts.get("errors"), facts.get("notes")
    if len(counts) < len(_COUNTS) or not isinstance(errors, list) or not isinstance(notes, list):
        raise CommandError("The Poll function answered in another form: deploy the stack and this command anew.")
    return _Go(
        counts,
        [str(error) for error in errors],
        [str(note) for note in notes],
        busy=facts.get("busy") is True,
        done=facts.get("done") is True,
        place=facts.get("place"),
    )
