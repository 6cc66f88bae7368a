"""One account under disruption: killed polls, a rate limit, and rows that move during a scan."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.cloud import SUBMISSIONS, Cloud
from tools.bench.detection.product import POLL_SECONDS, Product
from tools.bench.json_process import JsonProcess
from tools.bench.provider import Provider

ALLOWED_PER_SECOND = 10
REQUESTED_PER_SECOND = 8.0

_LEASE_EXPIRED_S = 600.0
_CHECK_EVERY_S = 0.01
_SCANS_UNTIL_REMOVED = 2
_BETWEEN_SCANS_S = 3600


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Requests of a first contact whose process is killed several times."""

    kills: int
    pages: int
    pages_needed: int

    @property
    def repeated_per_kill(self) -> float:
        """Pages beyond those of an uninterrupted first contact, per kill."""
        return max(0, self.pages - self.pages_needed) / self.kills


@dataclass(frozen=True, slots=True)
class Paced:
    """Requests, and those that the provider refused as too many."""

    requests: int
    product_refused: int
    bucket_refused: int


@dataclass(frozen=True, slots=True)
class Drifted:
    """Removals and missing rows after rows moved during full scans."""

    exams: int
    false_removals: int
    missing_one_poll_after: int
    true_removals: int
    """Deleted rows that were announced as removed."""


def interrupt(
    cloud: Cloud, provider: Provider, account: str, pages_needed: int, kill_after: Sequence[int]
) -> Interrupted:
    """Read an account for the first time; kill the process at each of these totals of pages."""
    before = provider.result_pages()
    for pages in kill_after:
        with Product(cloud, provider, account) as product:
            product.begin_poll()
            while provider.result_pages() - before < pages:
                time.sleep(_CHECK_EVERY_S)
            product.kill()
        provider.control.advance(_LEASE_EXPIRED_S)
    with Product(cloud, provider, account) as product:
        product.poll()
    return Interrupted(len(kill_after), provider.result_pages() - before, pages_needed)


def pace(cloud: Cloud, provider: Provider, account: str) -> Paced:
    """Run a full scan at a fixed rate, then send as many requests through a token bucket."""
    provider.control.set_limit(ALLOWED_PER_SECOND)
    try:
        with Product(cloud, provider, account, REQUESTED_PER_SECOND) as product:
            before = provider.control.limit().refused
            polled = product.poll(full=True)
            product_refused = provider.control.limit().refused - before
        with JsonProcess(["tools.bench.detection.floor_process", "bucket"], provider.environ) as bucket:
            answer = bucket.ask(requests=polled.requests, per_second=REQUESTED_PER_SECOND)
    finally:
        provider.control.set_limit(None)
    return Paced(polled.requests, product_refused, answer.whole("refused"))


def drift(cloud: Cloud, product: Product, provider: Provider, account: str, exam_ids: Sequence[str]) -> Drifted:
    """Move rows of some exams during two full scans, then scan until removals are announced."""
    removed: set[tuple[str, str, int]] = set()
    missing = 0
    for moving in (True, True, *[False] * _SCANS_UNTIL_REMOVED):
        provider.control.advance(_BETWEEN_SCANS_S)
        if moving:
            provider.move_rows_in(exam_ids)
        full = product.poll(full=True)
        provider.control.advance(POLL_SECONDS)
        after = product.poll()
        removed |= {
            (event.exam_id, event.candidate_id, event.started_at)
            for event in [*full.events, *after.events]
            if event.event_type == "submission.removed"
        }
        if moving:
            missing += sum(_missing(cloud, provider, account, exam_id) for exam_id in exam_ids)
    existing = {
        (row.exam_id, row.candidate_id, row.started_at)
        for exam_id in exam_ids
        for row in provider.control.truth(exam_id)
    }
    return Drifted(len(exam_ids), len(removed & existing), missing, len(removed - existing))


def _missing(cloud: Cloud, provider: Provider, account: str, exam_id: str) -> int:
    """Return how many of the provider's rows are not in the table."""
    pages = cloud.dynamodb.get_paginator("query").paginate(
        TableName=SUBMISSIONS,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{account}#{exam_id}"}},
        ProjectionExpression="sk",
    )
    stored = {item["sk"]["S"] for page in pages for item in page["Items"]}
    existing = {f"{row.started_at:010d}#{row.candidate_id}" for row in provider.control.truth(exam_id)}
    return len(existing - stored)
