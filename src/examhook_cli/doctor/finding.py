"""Result of a check: a verdict, a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from examhook_cli.errors import error_code, explain, is_denial
from examhook_cli.stack import StackError

DEPLOY_AGAIN = "Deploy the stack again."


class Verdict(StrEnum):
    """Severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    """The installation works; an operator should know about this."""
    PROBLEM = "problem"
    """The installation does not announce, deliver or store something."""
    UNKNOWN = "unknown"
    """The credentials do not allow the check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; no field contains a code, secret, link, address or candidate name."""

    verdict: Verdict
    text: str
    todo: str = ""
    """What to do; empty for nothing."""


def ok(text: str) -> Finding:
    """A finding that needs no action."""
    return Finding(Verdict.OK, text)


def warning(text: str, todo: str) -> Finding:
    """A finding that an operator should know about."""
    return Finding(Verdict.WARNING, text, todo)


def problem(text: str, todo: str) -> Finding:
    """A finding that an operator must fix."""
    return Finding(Verdict.PROBLEM, text, todo)


CHECK_ERRORS = (BotoCoreError, ClientError, HTTPClientError, StackError, ValueError, LookupError)
"""Errors that a check may raise; SettingsError and AccountsError are ValueErrors."""
Check = tuple[str, Callable[[], Iterable[Finding]]]
"""Name of a check and the function that runs it."""
Report = list[tuple[str, Finding]]
"""Findings, each with the name of its check."""

_MISSING_RESOURCE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "TableNotFoundException",
    }
)


def run_checks(checks: Iterable[Check]) -> Iterator[tuple[str, Finding]]:
    """Findings of all checks; a check that fails does not stop the others."""
    for name, check in checks:
        try:
            for finding in check():
                yield name, finding
        except (BotoCoreError, ClientError, HTTPClientError, StackError) as error:
            yield name, _failed_check(error)
        except (ValueError, LookupError) as error:
            # Omit the error's message, which may quote stored data.
            text = f"The stored data is not readable ({type(error).__name__})."
            yield name, problem(text, "Deploy the newest version.")


def _failed_check(error: Exception) -> Finding:
    text = explain(error) or type(error).__name__
    if isinstance(error, StackError) or error_code(error) in _MISSING_RESOURCE:
        return problem(text, DEPLOY_AGAIN)
    return Finding(Verdict.UNKNOWN, text, "Allow this action, then try again." if is_denial(error) else "")
