"""Pages of a list, and those who give them."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Unreadable(Protocol):
    """A row that could not be understood."""

    @property
    def place(self) -> int:
        """Which row of its page, from 0."""

    @property
    def reason(self) -> str:
        """Why, without any of its values."""


class Page(Protocol[T_co]):
    """One answer: the rows that could be read, and how many rows it held in all."""

    @property
    def rows(self) -> Sequence[T_co]:
        """The rows that could be read, in the order given."""

    @property
    def row_count(self) -> int:
        """How many rows the answer held, unreadable ones included."""

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The rows that could not be read."""


Fetch = Callable[[int, int], Page[T]]
"""Gives the page of at most ``limit`` rows from offset ``start``."""

Lookup = Callable[[Sequence[T]], Container[Hashable]]
"""Gives the keys of those of the given rows that were met before, at least."""
