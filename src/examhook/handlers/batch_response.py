"""Partial batch response to an SQS queue or a DynamoDB stream (``ReportBatchItemFailures``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict


class BatchItemFailure(TypedDict):
    """A message to receive again, or the first stream record to receive again."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """Items that Lambda passes to the function again."""

    batchItemFailures: list[BatchItemFailure]


def batch_response(failed_ids: Iterable[str]) -> BatchResponse:
    """Return the response that reports these message ids or sequence numbers as failed."""
    return {"batchItemFailures": [{"itemIdentifier": failed_id} for failed_id in failed_ids]}
