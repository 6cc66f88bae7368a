"""Rows that move in the middle of a full scan: what is lost, what is invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.cloud import SUBMISSIONS, Cloud
from tools.bench.detection.product import Product
from tools.bench.provider import Provider
from tools.bench.detection.steady import TICK_S

REMOVED = "submission.removed"
_SCANS_UNTIL_REMOVED = 2
_BETWEEN_SCANS_S = 3600


@dataclass(frozen=True, slots=True)
class Drifted:
    """What was announced and stored."""

    exams: int
    false_removals: int
    missing_one_poll_after: int
    true_removals: int
    """Deleted rows that were announced as removed, after as many quiet scans as that takes."""


def drift(cloud: Cloud, product: Product, provider: Provider, account: str, exam_ids: Sequence[str]) -> Drifted:
    """Move the rows of some exams in two full scans in a row, and scan twice more so that removals are announced."""
    removed: set[tuple[str, str, int]] = set()
    missing = 0
    for moving in (True, True, *[False] * _SCANS_UNTIL_REMOVED):
        provider.control.advance(_BETWEEN_SCANS_S)
        if moving:
            provider.move_rows_in(exam_ids)
        full = product.poll(full=True)
        provider.control.advance(TICK_S)
        after = product.poll()
        for event in [*full.events, *after.events]:
            if event.event_type == REMOVED:
                removed.add((event.exam_id, event.candidate_id, event.started_at))
        if moving:
            missing += _missing(cloud, provider, account, exam_ids)
    there = {
        (row.exam_id, row.candidate_id, row.started_at)
        for exam_id in exam_ids
        for row in provider.control.truth(exam_id)
    }
    return Drifted(len(exam_ids), len(removed & there), missing, len(removed - there))


def _missing(cloud: Cloud, provider: Provider, account: str, exam_ids: Sequence[str]) -> int:
    """Rows that the provider has and the table has not."""
    missing = 0
    for exam_id in exam_ids:
        pages = cloud.dynamodb.get_paginator("query").paginate(
            TableName=SUBMISSIONS,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{account}#{exam_id}"}},
            ProjectionExpression="sk",
        )
        stored = {item["sk"]["S"] for page in pages for item in page["Items"]}
        there = {f"{row.started_at:010d}#{row.candidate_id}" for row in provider.control.truth(exam_id)}
        missing += len(there - stored)
    return missing
