"""All checks, from the credentials to each account."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from examhook_cli.doctor import account_checks, delivery_checks, function_checks, stack_checks, table_checks
from examhook_cli.doctor.finding import CHECK_ERRORS, Check, Finding, Verdict, run_checks
from examhook_cli.doctor.inspected_stack import InspectedStack


def inspect(stack: InspectedStack) -> Iterator[tuple[str, Finding]]:
    """All findings; only those of the first checks if the credentials or the stack do not work."""
    first_checks: list[Check] = [
        ("credentials", partial(stack_checks.credentials, stack)),
        ("stack", partial(stack_checks.stack, stack)),
    ]
    for check in first_checks:
        findings = list(run_checks([check]))
        yield from findings
        # A missing permission for a first check does not exclude the other checks.
        if any(finding.verdict is Verdict.PROBLEM for _, finding in findings):
            return
    try:
        _ = stack.installation.stack
    except CHECK_ERRORS:
        return
    yield from run_checks(_checks(stack))
    yield from run_checks(_account_checks(stack))


def _checks(stack: InspectedStack) -> Iterator[Check]:
    yield "outputs", partial(stack_checks.outputs, stack)
    yield "alarms", partial(stack_checks.alarms, stack)
    for name in function_checks.FUNCTIONS:
        yield f"function {name}", partial(function_checks.function, stack, name)
    for name in ("Poll", "Retry"):
        yield f"schedule of {name}", partial(function_checks.schedule, stack, name)
    for name in function_checks.SOURCES:
        yield f"source of {name}", partial(function_checks.sources, stack, name)
    for name in function_checks.FUNCTIONS:
        yield f"log of {name}", partial(function_checks.logged_errors, stack, name)
    for name in table_checks.TABLES:
        yield f"table {name}", partial(table_checks.table, stack, name)
        yield f"backups of {name}", partial(table_checks.backups, stack, name)
        if name in table_checks.EXPIRING:
            yield f"expiry of {name}", partial(table_checks.expiry, stack, name)
    for topic in ("submissions", "operations"):
        yield f"{topic} topic", partial(delivery_checks.subscriptions, stack, topic)
    yield "event bus", partial(delivery_checks.event_bus, stack)
    yield "endpoints", partial(delivery_checks.endpoints, stack)
    yield from delivery_checks.endpoint_checks(stack)
    for output in delivery_checks.FAILURE_QUEUES:
        yield f"queue {output.removesuffix('Url')}", partial(delivery_checks.failure_queue, stack, output)
    yield "queue DeliveryQueue", partial(delivery_checks.backlog, stack)
    yield "delivery age", partial(delivery_checks.delivery_age, stack)


def _account_checks(stack: InspectedStack) -> Iterator[Check]:
    yield "account code", partial(account_checks.account_code, stack)
    yield "accounts secret", partial(account_checks.further_accounts, stack)
    for name in account_checks.account_names(stack):
        yield f"account {name}", partial(account_checks.account, stack, name)
        yield f"delay of {name}", partial(account_checks.longest_delay, stack)
