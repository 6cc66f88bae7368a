"""Cuts what is to be sent into requests that a service takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(entries: Sequence[T], size_of: Callable[[T], int], most: int, most_bytes: int) -> Iterator[list[T]]:
    """``entries`` in their order, each batch of ``most`` and of ``most_bytes`` together at most.

    An entry that is too big by itself makes a batch of its own, which the service refuses.
    """
    batch: list[T] = []
    size = 0
    for entry in entries:
        entry_size = size_of(entry)
        if batch and (len(batch) == most or size + entry_size > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry_size
    if batch:
        yield batch
