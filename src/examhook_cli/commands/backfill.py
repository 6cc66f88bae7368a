"""``examhook backfill``: invokes Poll until it has read every exam."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import time
from typing import Annotated

import typer

from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.options import AccountOption, AsJson, parse_since, split_list
from examhook_cli.output import complain, counted, print_json, progress, say

_COUNTS = ("requests", "exams", "exams_left", "rows_under_way", "announced", "known")
_MAX_BUSY_ROUNDS = 10
"""Maximum consecutive invocations that find another poll running; each waits for one minute."""


@dataclass(frozen=True, slots=True)
class _Round:
    """Result of one invocation of Poll."""

    counts: dict[str, int]
    errors: list[str]
    notes: list[str]
    busy: bool
    done: bool
    place: object

    @property
    def completed(self) -> float:
        """Completed part, from 0 to 1."""
        exams = self.counts["exams"]
        return (exams - self.counts["exams_left"]) / exams if exams else 0.0

    @property
    def reason(self) -> str:
        """Reason that some exams are unread."""
        return " ".join(self.errors) or "; ".join(self.notes) or "Poll had no time left."

    @property
    def position(self) -> tuple[int, int, str]:
        """Progress marker, which changes with each invocation that makes progress."""
        return self.counts["exams_left"], self.counts["rows_under_way"], json.dumps(self.place, sort_keys=True)


@dataclass(slots=True)
class _Total:
    """Result of all invocations."""

    requests: int = 0
    exams: int = 0
    announced: int = 0
    known: int = 0
    errors: list[str] = field(default_factory=list)
    """Errors of the last invocation: each invocation retries what failed before."""
    notes: list[str] = field(default_factory=list)
    done: bool = False
    place: object = None
    """Where the next invocation continues; None before the first result."""
    position: object = None
    """Position of the last invocation; None if another poll was running."""
    busy_rounds: int = 0
    is_stuck: bool = False
    """Whether the last invocation made no progress."""

    def add(self, latest: _Round) -> None:
        """Add the result of one invocation."""
        self.requests += latest.counts["requests"]
        self.exams = max(self.exams, latest.counts["exams"])
        self.announced += latest.counts["announced"]
        self.known += latest.counts["known"]
        self.errors = latest.errors
        self.notes += [note for note in latest.notes if note not in self.notes]
        self.done = latest.done
        if latest.place is not None:
            self.place = latest.place
        self.busy_rounds = self.busy_rounds + 1 if latest.busy else 0
        has_stopped = not latest.busy and (self.place is None or latest.position == self.position)
        self.is_stuck = not latest.done and (has_stopped or self.busy_rounds > _MAX_BUSY_ROUNDS)
        self.position = None if latest.busy else latest.position


def backfill(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help="Announce changes since 2026-05-03T14:02:00Z, 36h, 3d.")],
    account: AccountOption = None,
    exam: Annotated[list[str] | None, typer.Option(metavar="ID,…", help="Read only these exams (repeatable).")] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Count missing events without announcing them; announce only new changes."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every exam again and announce missing events.

    Skips events that are known to be announced.

    Example: examhook backfill --since 36h --dry-run
    """
    request: dict[str, object] = {
        "since": parse_since(since, time()),
        "exam_ids": list(split_list(exam)) or None,
        "dry_run": dry_run,
    }
    total = _run(installation_of(context), account, request)
    incomplete = bool(total.errors or total.notes)
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "requests": total.requests,
                "exams": total.exams,
                "announced": total.announced,
                "known": total.known,
                "complete": not incomplete,
                "errors": total.errors,
                "notes": total.notes,
            }
        )
    else:
        verb = "would be announced" if dry_run else "announced"
        say(
            f"{counted(total.exams, 'exam')}, {counted(total.requests, 'request')}: "
            f"{counted(total.announced, 'event')} {verb}, {total.known} announced before."
        )
    for error in total.errors:
        complain(error)
    if total.notes:
        complain(f"Not complete: {'; '.join(total.notes)}. Run the command again later; it repeats no event.")
    if incomplete:
        raise typer.Exit(1)


def _run(installation: Installation, account: str | None, request: dict[str, object]) -> _Total:
    """Invoke Poll until it is done; raises CommandError if an invocation makes no progress."""
    total = _Total()
    with progress("Reading exams", 1) as show:
        while not total.done:
            latest = _invoke(installation, {"account": account, "backfill": {**request, "place": total.place}})
            total.add(latest)
            if total.is_stuck:
                raise CommandError(f"The backfill makes no progress. {latest.reason} Fix this and run it again.")
            show(latest.completed)
    return total


def _invoke(installation: Installation, payload: dict[str, object]) -> _Round:
    result = installation.invoke("Poll", payload, "The backfill failed; run the command again to continue")
    counts = {name: count for name in _COUNTS if isinstance(count := result.get(name), int)}
    errors, notes = result.get("errors"), result.get("notes")
    if len(counts) < len(_COUNTS) or not isinstance(errors, list) or not isinstance(notes, list):
        raise CommandError("Poll returned an unknown result: deploy the stack with this version.")
    return _Round(
        counts,
        [str(error) for error in errors],
        [str(note) for note in notes],
        busy=result.get("busy") is True,
        done=result.get("done") is True,
        place=result.get("place"),
    )
