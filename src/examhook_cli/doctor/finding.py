"""What a check found: a verdict, a sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from examhook_cli.errors import explain, is_denial
from examhook_cli.stack import StackError


class Verdict(StrEnum):
    """How it stands with what was checked."""

    OK = "ok"
    WARNING = "warning"
    """Works, but somebody should know, or may have meant it so."""
    PROBLEM = "problem"
    """Something is not announced, not delivered, or not kept as it should be."""
    UNKNOWN = "unknown"
    """These credentials could not see it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; no field holds a code, a secret, a link, an address or a candidate's name."""

    check: str
    verdict: Verdict
    said: str
    todo: str = ""
    """What to do; empty where nothing is to be done."""


Check = tuple[str, Callable[[], Iterable[Finding]]]
"""Name of what is checked, and the function that does it."""


def findings_of(checks: Iterable[Check]) -> Iterator[Finding]:
    """Everything that ``checks`` find; what one of them is not allowed to see hides nothing of the others."""
    for name, look in checks:
        try:
            yield from look()
        except (BotoCoreError, ClientError, HTTPClientError, StackError) as error:
            yield _blind(name, error)
        except (ValueError, LookupError) as error:
            # The kind of the error only: its text may quote what is stored.
            said = f"What is there cannot be understood ({type(error).__name__})."
            yield Finding(name, Verdict.PROBLEM, said, "Deploy the newest version.")


def _blind(name: str, error: Exception) -> Finding:
    said = explain(error) or type(error).__name__
    missing = isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _MISSING
    if missing or isinstance(error, StackError):
        return Finding(name, Verdict.PROBLEM, said, "Deploy the stack again.")
    return Finding(name, Verdict.UNKNOWN, said, "Have that action allowed, then try again." if is_denial(error) else "")


_MISSING = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "TableNotFoundException",
    }
)
