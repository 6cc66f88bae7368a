"""``examhook erase``."""

from __future__ import annotations

from typing import Annotated

import typer

from examhook.workflows.administration.erase import Erasure, NoAccountDataError, PollRunsError
from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.options import AccountOption, AsJson, Yes
from examhook_cli.output import confirm, hint, print_json, print_table, progress, say

OUT_OF_REACH = (
    "SNS messages, e-mails and webhooks that were sent: ask their receivers to delete them",
    "the stream of the Submissions table: records expire within 24 hours and produce no events",
    "backups: point-in-time recovery keeps 35 days; erase again after restoring a table",
    "OnlineExamMaker: erase the candidate there too; until then polls ignore the candidate",
)
"""Where data can remain. The functions' logs contain no candidate data."""


def erase(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    *,
    candidate: Annotated[str, typer.Option(metavar="ID", help="Candidate id, from the event data.")],
    account: AccountOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the data without erasing it.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase all stored data of a candidate.

    Erases submissions, events, deliveries and delivery logs.

    Example: examhook erase --candidate 4711 --dry-run
    """
    if not candidate.strip():
        raise typer.BadParameter("must not be empty", param_hint="--candidate")
    installation = installation_of(context)
    account = account or installation.stack.output("AccountName")
    if not (yes or dry_run):
        confirm(f"Erase all data of candidate {candidate} of account {account}?", "--yes or --dry-run")
    with progress("Searching the tables", 1) as show:
        try:
            erasure = installation.erase_candidate.run(account, candidate, show, dry_run=dry_run)
        except (PollRunsError, NoAccountDataError) as error:
            raise CommandError(str(error)) from error
    if as_json:
        print_json({"dry_run": dry_run, "account": account, **_facts(erasure), "out_of_reach": list(OUT_OF_REACH)})
    else:
        _print(erasure, candidate, account, dry_run=dry_run)


def _facts(erasure: Erasure) -> dict[str, int]:
    return {
        "submissions": erasure.submissions,
        "events": erasure.events,
        "deliveries": erasure.deliveries,
        "waiting_deliveries": erasure.waiting,
        "attempts": erasure.attempts,
        "exams": erasure.watches,
    }


def _print(erasure: Erasure, candidate: str, account: str, *, dry_run: bool) -> None:
    rows = [
        ["Submissions", str(erasure.submissions), "exam attempts"],
        ["Events", str(erasure.events), "events with name, score and link"],
        ["Deliveries", str(erasure.deliveries), f"{erasure.waiting} waiting, {erasure.attempts} attempts logged"],
        ["Exams", str(erasure.watches), "watches of a running attempt"],
    ]
    print_table(["table", "would be erased" if dry_run else "erased", "data"], rows)
    if dry_run:
        return
    say(f"Only a keyed hash of the id remains of candidate {candidate} of account {account}.")
    hint("Out of reach:")
    for place in OUT_OF_REACH:
        hint(f"- {place}.")
