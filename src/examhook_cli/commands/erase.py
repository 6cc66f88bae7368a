"""``examhook erase``: take all that is stored of one candidate out of the tables."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from examhook.workflows.administration.erase import Erasure, NoAccountDataError, PollRunsError
from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.output import hint, print_json, print_table, progress, say

OUT_OF_REACH = (
    "SNS messages, e-mails and webhooks that were sent: ask those who received them",
    "the stream of the Submissions table: it forgets within 24 hours, and nothing is made of it any more",
    "backups: point-in-time recovery keeps 35 days; erase again after restoring a table",
    "OnlineExamMaker itself: erase the candidate there too; until then polls pass over what it shows",
)
"""Where something may still be; the functions' logs hold nothing of a candidate."""

_STEPS = 1000


def erase(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    *,
    candidate: Annotated[str, typer.Option(metavar="ID", help="The candidate's id, as events name it.")],
    account: Annotated[
        str | None, typer.Option(metavar="NAME", help="The account it is an id of; without it, the stack's own.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be erased, and erase nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Erase a candidate: submissions, events, what waits to be sent, and the logs of what was sent."""
    if not candidate.strip():
        raise typer.BadParameter("name the candidate by the id", param_hint="--candidate")
    installation = installation_of(context)
    of_account = account or installation.stack.output("AccountName")
    if not (yes or dry_run):
        _ask(candidate, of_account)
    with progress("Looking through the tables", _STEPS) as show:
        try:
            done = installation.erase_candidate.run(
                of_account, candidate, lambda share: show(round(share * _STEPS)), dry_run=dry_run
            )
        except (PollRunsError, NoAccountDataError) as error:
            raise CommandError(str(error)) from error
    if as_json:
        print_json({"dry_run": dry_run, "account": of_account, **_facts(done), "out_of_reach": list(OUT_OF_REACH)})
    else:
        _print(done, candidate, of_account, dry_run=dry_run)


def _ask(candidate: str, account: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked: add --yes, or --dry-run", param_hint="--yes")
    typer.confirm(f"Erase all that is stored of candidate {candidate} of account {account} for good?", abort=True)


def _facts(done: Erasure) -> dict[str, int]:
    return {
        "submissions": done.submissions,
        "events": done.events,
        "deliveries": done.deliveries,
        "waiting_deliveries": done.waiting,
        "attempts": done.attempts,
        "exams": done.watches,
    }


def _print(done: Erasure, candidate: str, account: str, *, dry_run: bool) -> None:
    rows = [
        ["Submissions", str(done.submissions), "attempts at exams"],
        ["Events", str(done.events), "events with name, score and link"],
        ["Deliveries", str(done.deliveries), f"{done.waiting} of them waiting, {done.attempts} attempts logged"],
        ["Exams", str(done.watches), "watches that named a running attempt"],
    ]
    print_table(["table", "would be erased" if dry_run else "erased", "what"], rows, "")
    if dry_run:
        return
    say(f"Nothing is stored of candidate {candidate} of account {account} but a keyed hash of the id.")
    hint("Out of reach:")
    for place in OUT_OF_REACH:
        hint(f"- {place}.")
