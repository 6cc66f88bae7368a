"""Lets moto write as DynamoDB does: a condition and the write that it guards are one act, whatever threads do."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import DynamoDBBackend

_WRITES = ("delete_item", "put_item", "transact_write_items", "update_item")


def install() -> None:
    """Make it so, for the whole run."""
    one_at_a_time = threading.RLock()
    for name in _WRITES:
        setattr(DynamoDBBackend, name, _guarded(getattr(DynamoDBBackend, name), one_at_a_time))


def _guarded(write: Callable[..., Any], lock: threading.RLock) -> Callable[..., Any]:  # type: ignore[valid-type] # a function by name
    @functools.wraps(write)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return write(*args, **kwargs)

    return guarded
