"""Conditional writes: a condition that does not hold is an answer, not an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from botocore.exceptions import ClientError

P = ParamSpec("P")
T = TypeVar("T")


def if_it_holds(write: Callable[P, T], /, *args: P.args, **asked: P.kwargs) -> T | None:
    """DynamoDB's answer to ``write``; None, and nothing written, where its condition does not hold.

    Raises botocore's ClientError when DynamoDB refuses for another reason or cannot be reached.
    """
    try:
        return write(*args, **asked)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return None
        raise
