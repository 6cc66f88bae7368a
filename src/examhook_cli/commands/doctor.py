"""``examhook doctor``: find out what is wrong with an installation."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Annotated

import typer
from rich.text import Text

from examhook_cli.commands.poll import run_poll
from examhook_cli.doctor.checklist import examine
from examhook_cli.doctor.finding import Finding, Verdict, findings_of
from examhook_cli.doctor.inspected_stack import Patient
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.output import console, print_json, printable, say, waiting

_STYLES = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.PROBLEM: "bold red",
    Verdict.UNKNOWN: "magenta",
}


def doctor(
    context: typer.Context,
    *,
    poll: Annotated[
        bool, typer.Option("--poll", help="Ask the provider too, by one poll; else it is not asked.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Find out what is wrong with the installation, and what to do about it; exit status 1 where there is a problem."""
    installation = installation_of(context)
    with waiting("Looking at everything …"):
        found = list(examine(Patient(installation, time())))
        if poll and not any(each.check in {"credentials", "stack"} and _is_problem(each) for each in found):
            found += findings_of([("poll", lambda: [_polled(installation)])])
    if as_json:
        print_json(
            [
                {"check": each.check, "verdict": each.verdict.value, "said": each.said, "todo": each.todo or None}
                for each in found
            ]
        )
    else:
        _print(found)
    if any(_is_problem(each) for each in found):
        raise typer.Exit(1)


def _is_problem(finding: Finding) -> bool:
    return finding.verdict is Verdict.PROBLEM


def _polled(installation: Installation) -> Finding:
    try:
        report = run_poll(installation, account=None, full=False)
    except CommandError as error:
        return Finding("poll", Verdict.PROBLEM, str(error), "See the log of Poll.")
    if report["errors"]:
        return Finding("poll", Verdict.PROBLEM, " ".join(report["errors"]), "Put that right, then run examhook poll.")
    if not report["complete"]:
        return Finding(
            "poll", Verdict.WARNING, "Not all that was due was read.", "The next poll goes on with the rest."
        )
    return Finding("poll", Verdict.OK, f"The provider answered {report['requests']} requests.")


def _print(found: Sequence[Finding]) -> None:
    """A table with colours on a terminal; in a pipe, a line with tabs for each finding."""
    out = console()
    if not out.is_terminal:
        print("VERDICT\tCHECK\tSAID\tTODO")
        for each in found:
            print("\t".join(printable(cell) for cell in (each.verdict.value, each.check, each.said, each.todo)))
        return
    width = max(len(each.check) for each in found)
    for each in found:
        verdict = (each.verdict.value.ljust(7), _STYLES[each.verdict])
        out.print(Text.assemble(verdict, "  ", (each.check.ljust(width), "bold"), "  ", printable(each.said)))
        if each.todo:
            out.print(Text(f"{' ' * (width + 11)}→ {printable(each.todo)}", style="cyan"))
    say(_summary(found))


def _summary(found: Sequence[Finding]) -> str:
    counts = {verdict: sum(each.verdict is verdict for each in found) for verdict in Verdict}
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count) + "."
