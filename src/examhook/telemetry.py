"""Structured log lines: one wide line per unit of work, with allow-listed fields only."""

from __future__ import annotations

from aws_lambda_powertools import Logger

LogValue = str | int | float | bool | None

ALLOWED_FIELDS = frozenset(
    {
        "account",
        "attempt",
        "changes",
        "complete",
        "delivery_status",
        "dispatched",
        "due",
        "duration_ms",
        "endpoint_id",
        "enqueued",
        "errors",
        "event_id",
        "event_type",
        "exams",
        "failed",
        "http_status",
        "next_attempt_at",
        "outcome",
        "reason",
        "records",
        "requests",
        "rows",
        "skipped_rows",
        "trigger",
    }
)
"""Fields allowed in log lines. None of them contains an account code, a secret, a link or a name."""


class UnlistedFieldError(TypeError):
    """A log field is not in ALLOWED_FIELDS."""


def logger_for(function: str) -> Logger:
    """Return the structured logger of ``poll``, ``dispatch``, ``deliver`` or ``retry``."""
    return Logger(service=f"examhook-{function}", log_uncaught_exceptions=False)


def log_outcome(logger: Logger, message: str, **fields: LogValue) -> None:
    """Write one line with ``fields``; raises UnlistedFieldError."""
    unlisted = sorted(fields.keys() - ALLOWED_FIELDS)
    if unlisted:
        raise UnlistedFieldError(f"not in ALLOWED_FIELDS: {', '.join(unlisted)}")
    logger.info(message, extra={"examhook": fields})
