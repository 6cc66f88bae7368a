"""What is set for each account by itself: its API, its address, its first contact."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class InitialSync(StrEnum):
    """What to do with attempts that had ended before the watch on an account began."""

    SILENT = "silent"
    ANNOUNCE = "announce"


class Dialect(StrEnum):
    """Which of the provider's two APIs an account is read through."""

    LEGACY = "legacy"
    V1 = "v1"


DEFAULT_BASE_URLS: Mapping[Dialect, str] = {
    Dialect.LEGACY: "https://onlineexammaker.com",
    Dialect.V1: "https://api.onlineexammaker.com",
}
"""Where the provider's own site serves each API."""


def base_url_for(dialect: Dialect, base_url: str) -> str:
    """``base_url``, or where the provider serves ``dialect`` itself if that is the default of another."""
    return DEFAULT_BASE_URLS[dialect] if base_url in DEFAULT_BASE_URLS.values() else base_url


def parse_base_url(raw: str) -> str:
    """An address without the slash at its end; raises ValueError where it is none."""
    if not raw.startswith(("https://", "http://")):
        raise ValueError(raw)
    return raw.rstrip("/")
