"""The method through which all botocore clients make their calls; botocore's types do not declare it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.client import BaseClient

ApiCall = Callable[[BaseClient, str, dict[str, Any]], dict[str, Any]]
"""Takes a client, the name of an operation and its parameters; returns the answer."""

API_CALL = "_make_api_call"


def api_call() -> ApiCall:
    """The current method, for its replacement to call."""
    found: ApiCall = getattr(BaseClient, API_CALL)
    return found
