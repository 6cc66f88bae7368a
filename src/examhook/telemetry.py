"""What a function may write to its log: one wide line per unit of work, of listed fields only."""

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
"""Every field that a log line may carry. None of them holds a code, a secret, a link or a name."""


class UnlistedFieldError(TypeError):
    """A log line was given a field that is not in ALLOWED_FIELDS."""


def logger_for(function: str) -> Logger:
    """The structured logger of one function (``poll``, ``dispatch``, ``deliver``, ``retry``)."""
    return Logger(service=f"examhook-{function}", log_uncaught_exceptions=False)


def log_outcome(logger: Logger, what: str, **fields: LogValue) -> None:
    """Write one line saying that ``what`` happened, with ``fields``; raises UnlistedFieldError."""
    unlisted = sorted(fields.keys() - ALLOWED_FIELDS)
    if unlisted:
        raise UnlistedFieldError(f"not in ALLOWED_FIELDS: {', '.join(unlisted)}")
    logger.info(what, extra={"examhook": fields})
