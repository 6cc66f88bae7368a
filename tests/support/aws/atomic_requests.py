"""Lets moto's DynamoDB work on one request at a time, whatever threads do, as if each were one act.

A condition and the write that it guards are one act on DynamoDB, and a read sees an item before or after a write, never
in the middle of it. In moto both are plain Python on shared dictionaries.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler


def install() -> None:
    """Apply this to the whole run."""
    one_at_a_time = threading.RLock()
    ordinary = DynamoHandler.call_action

    @functools.wraps(ordinary)
    def guarded(handler: DynamoHandler) -> Any:
        with one_at_a_time:
            return ordinary(handler)

    DynamoHandler.call_action = guarded  # type: ignore[method-assign] # moto has no seam for it
