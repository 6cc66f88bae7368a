"""Answers "too many requests" from a provider that allows ten a second, asked eight times a second."""

from __future__ import annotations

from dataclasses import dataclass

from tools.bench.json_process import Child
from tools.bench.cloud import Cloud
from tools.bench.detection.product import Product
from tools.bench.provider import Provider

ALLOWED_PER_SECOND = 10
ASKED_PER_SECOND = 8.0


@dataclass(frozen=True, slots=True)
class Paced:
    """How often each was refused."""

    requests: int
    product_refused: int
    bucket_refused: int


def pace(cloud: Cloud, provider: Provider, account: str) -> Paced:
    """Read everything at the configured pace, then ask as often from a bucket of tokens."""
    provider.control.set_limit(ALLOWED_PER_SECOND)
    try:
        with Product(cloud, provider, account, ASKED_PER_SECOND) as product:
            before = provider.control.limit().refused
            polled = product.poll(full=True)
            product_refused = provider.control.limit().refused - before
        with Child(["tools.bench.bucket_process"], {"URL": provider.url, "CODE": provider.code}) as bucket:
            answer = bucket.ask(requests=polled.requests, per_second=ASKED_PER_SECOND)
    finally:
        provider.control.set_limit(None)
    return Paced(polled.requests, product_refused, answer.whole("refused"))
