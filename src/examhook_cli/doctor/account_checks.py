"""Checks of the account codes, of what the last poll of each account found, and of the detection delay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from examhook.detection.exam_state import ExamState
from examhook.detection.intervals import MINUTE_S, worst_case_s
from examhook.storage.account_secrets import AccountsError, AccountsSecret
from examhook.storage.exams import AccountRecord, CodeRejection
from examhook_cli.doctor.finding import CHECK_ERRORS, Finding, ok, problem, warning
from examhook_cli.doctor.function_checks import interval_s, schedule_of
from examhook_cli.doctor.inspected_stack import InspectedStack
from examhook_cli.output import time_text

_OVERDUE_POLLS = 5
_MIN_OVERDUE_S = 600
"""Polling counts as stopped after this number of intervals and at least this time; a first poll can be slow."""
_MAX_LISTED = 5


def account_code(stack: InspectedStack) -> Iterator[Finding]:
    """Whether the secret has a value; the value itself is not read."""
    if _current_version(stack, stack.poll_settings.account_code_secret_arn) is None:
        yield problem("The secret is empty or deleted.", "Store the account code in it; the next poll uses it.")
    else:
        yield ok("The secret contains a code.")


def further_accounts(stack: InspectedStack) -> Iterator[Finding]:
    """Whether the list of further accounts is valid."""
    if not stack.poll_settings.accounts_secret_arn:
        return
    todo = "Correct it as described in docs/accounts.md."
    try:
        accounts = _accounts_secret(stack).read()
    except AccountsError as error:
        yield problem(str(error), todo)
        return
    for each in accounts.problems:
        yield problem(each, todo)
    if not accounts.problems:
        yield ok(f"Further accounts: {', '.join(accounts.by_name) or 'none'}.")


def account(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Result of the last polls of an account, from the stored state."""
    record = stack.installation.exams.read(name).record
    states = stack.installation.exam_states.of_account(name)
    yield _last_poll(stack, record, list(states.values()))
    if record.refusal is not None:
        yield _refused(stack, name, record.refusal)
    if (left_s := (record.left_alone_until or 0) - int(stack.now)) > 0:
        text = f"The provider is throttling or failing; polls pause for {_duration(left_s)} more."
        yield warning(text, "If this continues, lower RequestsPerSecond.")
    failed = sorted(exam_id for exam_id, state in states.items() if state.failed_since is not None)
    if failed:
        yield warning(
            f"The last scan of {len(failed)} exams failed: {_first_few(failed)}.",
            "Polls retry them; the log of Poll contains the reason. Exams deleted at the provider may stay listed.",
        )
    skipped = [
        f"exam {exam_id}: {count} rows: {reason}"
        for exam_id, state in sorted(states.items())
        for reason, count in state.skipped.items()
    ]
    if skipped:
        text = f"Some submissions cannot be announced: {_first_few(skipped, '; ')}."
        yield problem(text, "Compare these exams with the provider's own result list.")


def longest_delay(stack: InspectedStack) -> Iterator[Finding]:
    """Maximum time until a change is announced, calculated from the settings."""
    enabled, expression = schedule_of(stack, "Poll")
    settings = stack.poll_settings
    tick_s = interval_s(expression)
    if not enabled or tick_s is None:
        text = "The delay has no limit: no schedule polls at a fixed interval."
        yield warning(text, "If this is not intended, deploy with Polling=ENABLED and a rate(…) schedule.")
        return
    # A tick each minute can trigger several polls; a slower schedule triggers one.
    poll_s = settings.poll_interval_s if tick_s <= MINUTE_S else tick_s
    worst = worst_case_s(poll_s=poll_s, full_scan_s=settings.full_scan_interval_s)
    yield ok(
        f"Changes in the exam list and ends of running attempts: {_duration(worst['signalled'])}; "
        f"other new attempts: {_duration(worst['active'])}, in quiet exams {_duration(worst['rotation'])}; "
        f"scores: {_duration(worst['rescored'])}, in quiet exams {_duration(worst['rescored_idle'])}; "
        f"removals: {_duration(worst['removed'])}; plus the duration of the poll."
    )


def account_names(stack: InspectedStack) -> list[str]:
    """The stack's own account and all readable further accounts."""
    try:
        further = _accounts_secret(stack).read().by_name if stack.poll_settings.accounts_secret_arn else {}
    except CHECK_ERRORS:
        # The checks of Poll and of the accounts secret report this error.
        further = {}
    own = stack.installation.stack.outputs.get("AccountName")
    return [*([own] if own else []), *further]


def _accounts_secret(stack: InspectedStack) -> AccountsSecret:
    settings = stack.poll_settings
    return AccountsSecret(stack.secrets, settings.accounts_secret_arn, settings.account, lambda: stack.now)


def _current_version(stack: InspectedStack, secret_arn: str) -> str | None:
    """Id of a secret's current version; None if it is empty or deleted."""
    description = stack.secrets.describe_secret(SecretId=secret_arn)
    versions = description.get("VersionIdsToStages", {})
    if "DeletedDate" in description:
        versions = {}
    return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)


def _last_poll(stack: InspectedStack, record: AccountRecord, states: Sequence[ExamState]) -> Finding:
    if record.completed_at is None:
        return warning("No poll has completed yet.", "Run examhook poll to see the reason.")
    enabled, expression = schedule_of(stack, "Poll")
    tick_s = interval_s(expression)
    age_s = int(stack.now) - record.completed_at
    text = f"{len(states)} exams; the last poll completed {_duration(age_s)} ago."
    if enabled and tick_s is not None and age_s > max(_MIN_OVERDUE_S, _OVERDUE_POLLS * tick_s):
        return problem(
            f"Polling has stopped. {text}", "Run examhook poll, and see PollStalledAlarm in docs/runbook.md."
        )
    unscanned = sum(state.scanned_at is None for state in states)
    return ok(f"{text} {unscanned} exams await their first full scan." if unscanned else text)


def _refused(stack: InspectedStack, name: str, refusal: CodeRejection) -> Finding:
    settings = stack.poll_settings
    is_own = name == settings.account
    arn = settings.account_code_secret_arn if is_own else settings.accounts_secret_arn
    since = time_text(refusal.since)
    if _current_version(stack, arn) != refusal.secret_version:
        text = (
            f"The provider has rejected the account code since {since}; a new code is stored, but no poll has tried it."
        )
        return warning(text, "Run examhook poll to try it.")
    if not refusal.plain:
        text = f"The provider has rejected requests for the exam list since {since}, but did not blame the code."
        return problem(
            text, "Run examhook poll to see the provider's message. If the code is wrong, store the correct one."
        )
    text = f"The provider has rejected the account code since {since}."
    return problem(text, "Store the correct code in the secret; the next poll uses it.")


def _first_few(names: Sequence[str], separator: str = ", ") -> str:
    return separator.join(names[:_MAX_LISTED]) + (f"{separator}…" if len(names) > _MAX_LISTED else "")


def _duration(seconds: int) -> str:
    """``45 s``, ``61 min``, ``24 h``, ``3 days``."""
    for unit, unit_s in (("s", 1), ("min", 60), ("h", 3600)):
        if seconds < 120 * unit_s:
            return f"{max(0, seconds) // unit_s} {unit}"
    return f"{seconds // 86_400} days"
