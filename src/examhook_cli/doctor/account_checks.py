"""Whether each account is watched: its code, the provider's answer to it, its last poll, its longest delay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from examhook.detection.exam_state import ExamState
from examhook.detection.ticks import MINUTE_S, longest_gap_s
from examhook.detection.worst_case import worst_case_s
from examhook.settings import SettingsError
from examhook.storage.account_list import AccountsError
from examhook.storage.account_state import AccountRecord, Refusal
from examhook.storage.accounts import AccountsSecret
from examhook_cli.doctor.finding import Finding, Verdict
from examhook_cli.doctor.function_checks import interval_s, schedule_of
from examhook_cli.doctor.inspected_stack import Patient
from examhook_cli.output import time_text
from examhook_cli.stack import StackError

OVERDUE_POLLS = 5
OVERDUE_AT_LEAST_S = 600
"""Polls are overdue after so many intervals, and this: a first contact may hold up a few."""
_SHOWN = 5


def secret(patient: Patient) -> Iterator[Finding]:
    """Whether there is an account code; its value is not read."""
    if _current_version(patient, patient.poll_settings.account_code_secret_arn) is None:
        said = "The secret that holds the account code is empty, or on its way out."
        yield Finding("account code", Verdict.PROBLEM, said, "Put the code into it; the next poll takes it at once.")
    else:
        yield Finding("account code", Verdict.OK, "There is one.")


def further_accounts(patient: Patient) -> Iterator[Finding]:
    """Whether the list of further accounts can be understood."""
    if not patient.poll_settings.accounts_secret_arn:
        return
    try:
        accounts = _further(patient).read()
    except AccountsError as error:
        yield Finding("accounts secret", Verdict.PROBLEM, str(error), "Put it right as docs/accounts.md says.")
        return
    for problem in accounts.problems:
        yield Finding("accounts secret", Verdict.PROBLEM, problem, "Put it right as docs/accounts.md says.")
    if not accounts.problems:
        names = ", ".join(accounts.by_name) or "none"
        yield Finding("accounts secret", Verdict.OK, f"Further accounts: {names}.")


def account(patient: Patient, name: str) -> Iterator[Finding]:
    """How one account is watched, as far as its state shows; the provider is not asked."""
    check = f"account {name}"
    record = patient.exams.read(name).record
    states = patient.exam_states.of_account(name)
    yield _polled(patient, check, record, list(states.values()))
    if record.refusal is not None:
        yield _refused(patient, check, name, record.refusal)
    if (left_s := (record.left_alone_until or 0) - int(patient.now)) > 0:
        said = f"The provider asked for a pause or keeps failing; polls leave it alone for {_span(left_s)} more."
        yield Finding(check, Verdict.WARNING, said, "If this continues, lower RequestsPerSecond.")
    failed = sorted(exam_id for exam_id, state in states.items() if state.failed_since is not None)
    if failed:
        said = f"{len(failed)} exams could not be read completely when that was last tried: {_some(failed)}."
        yield Finding(
            check,
            Verdict.WARNING,
            said,
            "Polls try them again; the log of Poll says why. Exams that were deleted at the provider may stay so.",
        )
    skipped = [
        f"exam {exam_id}: {count} rows: {reason}"
        for exam_id, state in sorted(states.items())
        for reason, count in state.skipped.items()
    ]
    if skipped:
        said = f"Some submissions cannot be announced: {_some(skipped, '; ')}."
        yield Finding(check, Verdict.PROBLEM, said, "Compare these exams with the provider's own result list.")


def promises(patient: Patient, name: str) -> Iterator[Finding]:
    """Longest time until a change of an account is announced, by the settings."""
    enabled, expression = schedule_of(patient, "Poll")
    check = f"delay of {name}"
    settings = patient.poll_settings
    tick_s = interval_s(expression)
    if not enabled or tick_s is None:
        said = "It has no bound: polls do not come at even intervals by themselves."
        yield Finding(check, Verdict.WARNING, said, "Deploy with Polling=ENABLED and a rate(…), unless it is intended.")
        return
    # Within a minute there may be several polls; a rarer schedule polls once at each tick.
    poll_s = settings.poll_seconds if tick_s <= MINUTE_S else tick_s
    worst = worst_case_s(longest_gap_s=longest_gap_s(poll_s), full_scan_seconds=settings.full_scan_seconds)
    said = (
        f"Changes that the exam list shows, and ends of running attempts, within {_span(worst['signalled'])}; other new"
        f" attempts within {_span(worst['active'])}, in quiet exams within {_span(worst['rotation'])}; scores within"
        f" {_span(worst['rescored'])}, in quiet exams within {_span(worst['rescored_idle'])}; removals within"
        f" {_span(worst['removed'])}; plus the time that reading takes."
    )
    yield Finding(check, Verdict.OK, said)


def names(patient: Patient) -> list[str]:
    """Every account that can be told of: the stack's own, and those of the secret if it can be read."""
    try:
        further = _further(patient).read().by_name if patient.poll_settings.accounts_secret_arn else {}
    except (BotoCoreError, ClientError, StackError, AccountsError, SettingsError):
        # Why is said by the check of that secret, or of Poll.
        further = {}
    own = patient.installation.stack.outputs.get("AccountName")
    return [*([own] if own else []), *further]


def _further(patient: Patient) -> AccountsSecret:
    settings = patient.poll_settings
    return AccountsSecret(patient.secrets, settings.accounts_secret_arn, settings.account, lambda: patient.now)


def _current_version(patient: Patient, secret_arn: str) -> str | None:
    """Id of the secret's current version; None where it holds nothing, or is on its way out."""
    described = patient.secrets.describe_secret(SecretId=secret_arn)
    versions = described.get("VersionIdsToStages", {})
    if "DeletedDate" in described:
        versions = {}
    return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)


def _refused(patient: Patient, check: str, name: str, refusal: Refusal) -> Finding:
    settings = patient.poll_settings
    own = name == settings.account
    arn = settings.account_code_secret_arn if own else settings.accounts_secret_arn
    since = time_text(refusal.since)
    if _current_version(patient, arn) != refusal.secret_version:
        said = f"The provider has refused the account code since {since}; another was put there, and not tried yet."
        return Finding(check, Verdict.WARNING, said, "Run examhook poll to try it.")
    if not refusal.plain:
        said = f"The provider has refused to list the exams since {since}, and does not plainly speak of the code."
        do = "examhook poll shows what it says. If the code is wrong, put the right one into its secret."
        return Finding(check, Verdict.PROBLEM, said, do)
    said = f"The provider has refused the account code since {since}."
    return Finding(check, Verdict.PROBLEM, said, "Put the right code into its secret; the next poll takes it at once.")


def _polled(patient: Patient, check: str, record: AccountRecord, states: Sequence[ExamState]) -> Finding:
    if record.completed_at is None:
        return Finding(check, Verdict.WARNING, "No poll has completed yet.", "Run examhook poll; it says why.")
    enabled, expression = schedule_of(patient, "Poll")
    tick_s = interval_s(expression)
    ago_s = int(patient.now) - record.completed_at
    said = f"{len(states)} exams; the last poll completed {_span(ago_s)} ago."
    if enabled and tick_s is not None and ago_s > max(OVERDUE_AT_LEAST_S, OVERDUE_POLLS * tick_s):
        todo = "Run examhook poll, and see PollStalledAlarm in docs/runbook.md."
        return Finding(check, Verdict.PROBLEM, f"Polling has stopped. {said}", todo)
    left = sum(state.scanned_at is None for state in states)
    if left:
        said = f"{said} {left} exams were not scanned completely yet."
    return Finding(check, Verdict.OK, said)


def _some(names: Sequence[str], separator: str = ", ") -> str:
    """The first few names."""
    return separator.join(names[:_SHOWN]) + (f"{separator}…" if len(names) > _SHOWN else "")


def _span(seconds: int) -> str:
    """So many seconds as a person says it: ``45 s``, ``61 min``, ``24 h``, ``3 days``."""
    for unit, length_s in (("s", 1), ("min", 60), ("h", 3600)):
        if seconds < 120 * length_s:
            return f"{max(0, seconds) // length_s} {unit}"
    return f"{seconds // 86_400} days"
