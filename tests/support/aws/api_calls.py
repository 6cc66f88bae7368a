"""The method through which every call of every botocore client goes; botocore's types do not declare it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.client import BaseClient

ApiCall = Callable[[BaseClient, str, dict[str, Any]], dict[str, Any]]
"""Takes a client, the name of an operation and its parameters; returns the answer."""

API_CALL = "_make_api_call"


def api_call() -> ApiCall:
    """The method as it is now, to be called by its replacement."""
    found: ApiCall = getattr(BaseClient, API_CALL)
    return found
