"""Makes moto's DynamoDB write one item at a time, as DynamoDB does: its own conditions are not checked atomically."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models import DynamoDBBackend

_WRITES = ("put_item", "update_item", "delete_item")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """For as long as the block lasts."""
    lock = threading.RLock()
    ordinary = {name: getattr(DynamoDBBackend, name) for name in _WRITES}
    for name, write in ordinary.items():
        setattr(DynamoDBBackend, name, _locked(write, lock))
    try:
        yield
    finally:
        for name, write in ordinary.items():
            setattr(DynamoDBBackend, name, write)


def _locked(write: Callable[..., Any], lock: threading.RLock) -> Callable[..., Any]:
    def locked(*args: object, **named: object) -> Any:
        with lock:
            return write(*args, **named)

    return locked
