"""``examhook poll``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, cast

import typer

from examhook.detection.intervals import WorstCase
from examhook.workflows.polling.report import ReportBody
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.options import AccountOption, AsJson
from examhook_cli.output import complain, counted, print_json, say, waiting

_COUNTS = ("requests", "exams", "rows", "changes", "skipped_rows")


def poll(
    context: typer.Context,
    *,
    account: AccountOption = None,
    full: Annotated[bool, typer.Option("--full", help="Scan every exam completely.")] = False,
    as_json: AsJson = False,
) -> None:
    """Poll the provider now and print the result.

    Example: examhook poll --full
    """
    with waiting("Polling the provider …"):
        report = run_poll(installation_of(context), account=account, full=full)
    if as_json:
        print_json(report)
    else:
        say(_summary(report))
    for error in report["errors"]:
        complain(error)
    for note in report.get("notes", ()):
        complain(f"Not complete: {note}.")
    if report.get("out_of_time"):
        complain("The poll ran out of time; the next one continues.")
    elif not report["complete"] and not report["errors"] and not report.get("notes"):
        complain("The poll could not read everything that was due: see the log of Poll.")
    if report["errors"] or not report["complete"]:
        raise typer.Exit(1)


def run_poll(installation: Installation, *, account: str | None, full: bool) -> ReportBody:
    """Invoke the Poll function; raises CommandError, StackError and botocore's errors."""
    payload = {"trigger": "manual", "account": account, "full": full}
    report = _report(installation.invoke("Poll", payload, "The poll failed"))
    if report is None:
        raise CommandError("Poll returned an unknown report: deploy the stack with this version.")
    return report


def _report(result: Mapping[str, object]) -> ReportBody | None:
    """The known fields of a result; None if a required field is missing."""
    counts = [result.get(name) for name in _COUNTS]
    complete, errors, notes = result.get("complete"), result.get("errors"), result.get("notes")
    numbers = [count for count in counts if isinstance(count, int)]
    if len(numbers) < len(counts) or not isinstance(complete, bool) or not isinstance(errors, list):
        return None
    requests, exams, rows, changes, skipped_rows = numbers
    report: ReportBody = {
        "requests": requests,
        "exams": exams,
        "rows": rows,
        "changes": changes,
        "skipped_rows": skipped_rows,
        "complete": complete,
        "errors": [str(error) for error in errors],
    }
    if isinstance(notes, list):
        report["notes"] = [str(note) for note in notes]
    report["out_of_time"] = result.get("out_of_time") is True
    bounds = result.get("worst_case_s")
    if isinstance(bounds, dict) and all(type(bounds.get(name)) is int for name in WorstCase.__annotations__):
        report["worst_case_s"] = cast("WorstCase", {name: bounds[name] for name in WorstCase.__annotations__})
    return report


def _summary(report: ReportBody) -> str:
    skipped = f", {report['skipped_rows']} rows not announced" if report["skipped_rows"] else ""
    return (
        f"{counted(report['requests'], 'request')}: {counted(report['exams'], 'exam')} read, "
        f"{counted(report['rows'], 'row')}, {counted(report['changes'], 'change')}{skipped}."
    )
