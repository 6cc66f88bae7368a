"""Reading environment variables so that every bad one is named at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

_T = TypeVar("_T")
_TRUE_FALSE = {"true": True, "false": False}


class SettingsError(ValueError):
    """One or more variables are missing or wrong; the message names each and says what it should hold."""


class SettingsReader:
    """Reads variables and gathers what is wrong with them, so that all of it is said at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def get(self, name: str, parse: Callable[[str], _T], wanted: str, fallback: _T) -> _T:
        """``parse`` of variable ``name``; on failure ``fallback``, and a problem that says ``wanted``."""
        raw = self._environ.get(name)
        if raw is None:
            self._problems.append(f"{name} is not set (wanted: {wanted})")
            return fallback
        try:
            return parse(raw)
        except (ValueError, KeyError):
            self._problems.append(f"{name} is not {wanted}")
            return fallback

    def text(self, name: str) -> str:
        """A variable that may not be empty."""
        return self.get(name, _not_empty, "a text that is not empty", "")

    def number(self, name: str, at_least: float, at_most: float) -> float:
        """A number within bounds, both included."""
        return self.get(name, _within(at_least, at_most), f"a number from {at_least:g} to {at_most:g}", at_least)

    def flag(self, name: str) -> bool:
        """``true`` or ``false``."""
        return self.get(name, lambda raw: _TRUE_FALSE[raw], "true or false", fallback=False)

    def comma_list(self, name: str) -> tuple[str, ...]:
        """Texts with commas between them; none where the variable is empty."""
        return self.get(name, _comma_list, "texts with commas between them", ())

    def finish(self) -> None:
        """Raise SettingsError if anything was wrong."""
        if self._problems:
            raise SettingsError("Bad settings: " + "; ".join(self._problems) + ". Deploy the stack again to set them.")


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
