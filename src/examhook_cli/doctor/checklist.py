"""Every check, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from examhook_cli.doctor import account_checks, delivery_checks, function_checks, stack_checks, table_checks
from examhook_cli.doctor.finding import Check, Finding, Verdict, findings_of
from examhook_cli.doctor.inspected_stack import Patient
from examhook_cli.stack import StackError


def examine(patient: Patient) -> Iterator[Finding]:
    """All findings. Without credentials, or without a stack, there is nothing more to look at."""
    foundations: list[Check] = [
        ("credentials", partial(stack_checks.credentials, patient)),
        ("stack", partial(stack_checks.stack, patient)),
    ]
    for check in foundations:
        found = list(findings_of([check]))
        yield from found
        # Who may not ask who they are may still be allowed all the rest.
        if any(each.verdict is Verdict.PROBLEM for each in found):
            return
    try:
        _ = patient.installation.stack
    except (BotoCoreError, ClientError, StackError):
        return
    yield from findings_of(_checks(patient))
    yield from findings_of(_account_checks(patient))


def _checks(patient: Patient) -> Iterator[Check]:
    yield "outputs", partial(stack_checks.outputs, patient)
    yield "alarms", partial(stack_checks.alarms, patient)
    for name in function_checks.FUNCTIONS:
        yield f"function {name}", partial(function_checks.function, patient, name)
    for name in ("Poll", "Retry"):
        yield f"schedule of {name}", partial(function_checks.schedule, patient, name)
    for name in function_checks.SOURCES:
        yield f"source of {name}", partial(function_checks.sources, patient, name)
    for name in function_checks.FUNCTIONS:
        yield f"log of {name}", partial(function_checks.complaints, patient, name)
    for name in table_checks.TABLES:
        yield f"table {name}", partial(table_checks.table, patient, name)
        yield f"backups of {name}", partial(table_checks.backups, patient, name)
        if name in table_checks.EXPIRING:
            yield f"expiry of {name}", partial(table_checks.expiry, patient, name)
    for topic in ("submissions", "operations"):
        yield f"{topic} topic", partial(delivery_checks.subscriptions, patient, topic)
    yield "event bus", partial(delivery_checks.event_bus, patient)
    yield "endpoints", partial(delivery_checks.endpoints, patient)
    for output in delivery_checks.QUEUES:
        yield f"queue {output.removesuffix('Url')}", partial(delivery_checks.queue, patient, output)
    yield "queue DeliveryQueue", partial(delivery_checks.backlog, patient)
    yield "delivery age", partial(delivery_checks.delivery_age, patient)


def _account_checks(patient: Patient) -> Iterator[Check]:
    yield "account code", partial(account_checks.secret, patient)
    yield "accounts secret", partial(account_checks.further_accounts, patient)
    for name in account_checks.names(patient):
        yield f"account {name}", partial(account_checks.account, patient, name)
        yield f"delay of {name}", partial(account_checks.promises, patient, name)
