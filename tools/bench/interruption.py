"""A first contact whose process is killed: how much is asked again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.cloud import Cloud
from tools.bench.detection.product import Product
from tools.bench.provider import Provider

_LEASE_IS_OVER_S = 600.0
_GLANCE_S = 0.01


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What a first contact with a killed process in it asked."""

    kills: int
    pages_asked: int
    pages_needed: int

    @property
    def repeated_per_kill(self) -> float:
        """Pages asked beyond those of a first contact in one go, for each process that was killed."""
        return max(0, self.pages_asked - self.pages_needed) / self.kills


def interrupt(
    cloud: Cloud, provider: Provider, account: str, pages_needed: int, kill_after: Sequence[int]
) -> Interrupted:
    """Read an account for the first time, killing the process whenever it has asked for so many pages in all."""
    before = provider.results_asked()
    for pages in kill_after:
        with Product(cloud, provider, account) as product:
            product.begin_poll()
            while provider.results_asked() - before < pages:
                time.sleep(_GLANCE_S)
            product.kill()
        provider.control.advance(_LEASE_IS_OVER_S)
    with Product(cloud, provider, account) as product:
        product.poll()
    return Interrupted(len(kill_after), provider.results_asked() - before, pages_needed)
