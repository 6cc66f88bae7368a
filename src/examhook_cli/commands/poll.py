"""``examhook poll``: run one poll now, wait for it, and print what it found."""

from __future__ import annotations

import json
from typing import Annotated, cast

import typer

from examhook.detection.intervals import WorstCase
from examhook.workflows.polling.report import ReportBody
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.output import complain, print_json, say, waiting


def poll(
    context: typer.Context,
    *,
    account: Annotated[
        str | None, typer.Option(metavar="NAME", help="Account to poll (default: the stack's own).")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Scan every exam completely.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON document.")] = False,
) -> None:
    """Poll the provider now, wait, and print what was found."""
    with waiting("Asking the provider …"):
        report = run_poll(installation_of(context), account=account, full=full)
    if as_json:
        print_json(report)
    else:
        say(_sentence(report))
    for error in report["errors"]:
        complain(error)
    for note in report.get("notes", ()):
        complain(f"Not complete: {note}.")
    if report.get("out_of_time"):
        complain("The poll ran out of time; the next one continues.")
    elif not report["complete"] and not report["errors"] and not report.get("notes"):
        complain("Not all that was due could be read; the log of Poll says why.")
    if report["errors"] or not report["complete"]:
        raise typer.Exit(1)


def run_poll(installation: Installation, *, account: str | None, full: bool) -> ReportBody:
    """Invoke the Poll function, wait for its report; raises CommandError, StackError and botocore's errors."""
    answer = installation.functions.invoke(
        FunctionName=installation.stack.output("PollFunctionName"),
        InvocationType="RequestResponse",
        Payload=json.dumps({"trigger": "manual", "account": account, "full": full}).encode(),
    )
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise CommandError(f"The poll failed: {_function_error(payload)}")
    report = _report(payload)
    if report is None:
        raise CommandError("The Poll function answered in another form: deploy the stack with this version.")
    return report


def _function_error(payload: bytes) -> str:
    """What a function said when it failed, from ``{"errorType": …, "errorMessage": …}``."""
    said = _object(payload)
    return str(said.get("errorMessage") or said.get("errorType") or "the function gave no reason; see its log")


def _report(payload: bytes) -> ReportBody | None:
    said = _object(payload)
    counts = [said.get(name) for name in ("requests", "exams", "rows", "changes", "skipped_rows")]
    complete, errors = said.get("complete"), said.get("errors")
    if not isinstance(complete, bool) or not isinstance(errors, list):
        return None
    numbers = [count for count in counts if isinstance(count, int)]
    if len(numbers) < len(counts):
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
    notes = said.get("notes")
    if isinstance(notes, list):
        report["notes"] = [str(note) for note in notes]
    report["out_of_time"] = said.get("out_of_time") is True
    bounds = said.get("worst_case_s")
    if isinstance(bounds, dict) and all(type(bounds.get(name)) is int for name in WorstCase.__annotations__):
        report["worst_case_s"] = cast("WorstCase", {name: bounds[name] for name in WorstCase.__annotations__})
    return report


def _object(payload: bytes) -> dict[str, object]:
    try:
        said = json.loads(payload)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _sentence(report: ReportBody) -> str:
    skipped = f", {report['skipped_rows']} rows not announced" if report["skipped_rows"] else ""
    return (
        f"{_counted(report['requests'], 'request')}: {_counted(report['exams'], 'exam')} read, "
        f"{_counted(report['rows'], 'row')}, {_counted(report['changes'], 'change')}{skipped}."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
