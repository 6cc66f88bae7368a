"""Reader of environment variables that reports all invalid variables in one error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

_T = TypeVar("_T")
_FLAG_VALUES = {"true": True, "false": False}


class SettingsError(ValueError):
    """Variables are missing or invalid; the message names each one and the expected value."""


class SettingsReader:
    """Reads variables and collects their errors until ``finish``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def get(self, name: str, parse: Callable[[str], _T], expected: str, fallback: _T) -> _T:
        """Return the parsed variable; on failure, record what was ``expected`` and return ``fallback``."""
        raw = self._environ.get(name)
        if raw is None:
            self._problems.append(f"{name} is not set (expected: {expected})")
            return fallback
        try:
            return parse(raw)
        except (ValueError, KeyError):
            self._problems.append(f"{name} is not {expected}")
            return fallback

    def text(self, name: str) -> str:
        """Return a text, which must not be empty."""
        return self.get(name, _not_empty, "a non-empty text", "")

    def optional_text(self, name: str) -> str:
        """Return a text; empty if the variable is not set."""
        return self._environ.get(name, "").strip()

    def number(self, name: str, at_least: float, at_most: float) -> float:
        """Return a number from ``at_least`` to ``at_most``, inclusive."""
        return self.get(name, _within(at_least, at_most), f"a number from {at_least:g} to {at_most:g}", at_least)

    def flag(self, name: str) -> bool:
        """Return a boolean, written as ``true`` or ``false``."""
        return self.get(name, lambda raw: _FLAG_VALUES[raw], "true or false", fallback=False)

    def comma_list(self, name: str) -> tuple[str, ...]:
        """Return the items of a comma-separated list, which may be empty."""
        return self.get(name, _comma_list, "a comma-separated list", ())

    def finish(self) -> None:
        """Raise SettingsError if any variable was missing or invalid."""
        if self._problems:
            raise SettingsError(f"Bad settings: {'; '.join(self._problems)}. Deploy the stack again to set them.")


def _not_empty(raw: str) -> str:
    if not raw.strip():
        raise ValueError(raw)
    return raw.strip()


def _comma_list(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _within(at_least: float, at_most: float) -> Callable[[str], float]:
    def parse(raw: str) -> float:
        value = float(raw)
        if not at_least <= value <= at_most:
            raise ValueError(raw)
        return value

    return parse
