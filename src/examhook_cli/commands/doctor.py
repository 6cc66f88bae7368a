"""``examhook doctor``."""

from __future__ import annotations

from collections import Counter
from time import time
from typing import Annotated

import typer
from rich.text import Text

from examhook_cli.commands.poll import run_poll
from examhook_cli.doctor.checklist import inspect
from examhook_cli.doctor.finding import Finding, Report, Verdict, ok, problem, run_checks, warning
from examhook_cli.doctor.inspected_stack import InspectedStack
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.options import AsJsonArray
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
    poll: Annotated[bool, typer.Option("--poll", help="Also poll the provider.")] = False,
    as_json: AsJsonArray = False,
) -> None:
    """Find problems in the installation and print what to do.

    Exits with status 1 if it finds a problem.

    Example: examhook doctor --poll
    """
    installation = installation_of(context)
    with waiting("Checking the installation …"):
        report = list(inspect(InspectedStack(installation, time())))
        can_poll = not any(check in {"credentials", "stack"} and _is_problem(finding) for check, finding in report)
        if poll and can_poll:
            report += run_checks([("poll", lambda: [_poll_finding(installation)])])
    if as_json:
        print_json(
            [
                {"check": check, "verdict": each.verdict.value, "said": each.text, "todo": each.todo or None}
                for check, each in report
            ]
        )
    else:
        _print(report)
    if any(_is_problem(finding) for _, finding in report):
        raise typer.Exit(1)


def _is_problem(finding: Finding) -> bool:
    return finding.verdict is Verdict.PROBLEM


def _poll_finding(installation: Installation) -> Finding:
    try:
        report = run_poll(installation, account=None, full=False)
    except CommandError as error:
        return problem(str(error), "See the log of Poll.")
    if report["errors"]:
        return problem(" ".join(report["errors"]), "Fix this, then run examhook poll.")
    if not report["complete"]:
        return warning("The poll did not read everything that was due.", "Wait for the next poll, which continues.")
    return ok(f"The provider answered {report['requests']} requests.")


def _print(report: Report) -> None:
    """Print a colored list with a summary in a terminal, and tab-separated lines in a pipe."""
    out = console()
    if not out.is_terminal:
        print("VERDICT\tCHECK\tSAID\tTODO")
        for check, each in report:
            print("\t".join(map(printable, (each.verdict.value, check, each.text, each.todo))))
        return
    width = max(len(check) for check, _ in report)
    for check, each in report:
        verdict = (each.verdict.value.ljust(7), _STYLES[each.verdict])
        out.print(Text.assemble(verdict, "  ", (check.ljust(width), "bold"), "  ", printable(each.text)))
        if each.todo:
            out.print(Text(f"{' ' * (width + 11)}→ {printable(each.todo)}", style="cyan"))
    counts = Counter(each.verdict for _, each in report)
    say(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]) + ".")
