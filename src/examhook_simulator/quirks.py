"""Switches of the quirks, which are habits and failures of the provider. Switches combine.

A switch is written ``name[=value][@probability|@nextN]``: ``cut_body``, ``limit_cap=10``,
``server_error=502@0.1`` (one request in ten), ``reset@next3`` (the next three requests, then off).

::

    QuirkError    the quirk is unknown or does not accept the value; do not retry
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from examhook_simulator.quirk_catalogue import EXAMS, RESULTS, TRAITS, Quirk

__all__ = ["EXAMS", "RESULTS", "TRAITS", "Active", "Quirk", "QuirkError", "Switch", "Switchboard", "quirk_named"]


class QuirkError(ValueError):
    """The switch cannot be turned on; the message says why."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A quirk that is switched on, with its value and scope. Its constructor raises QuirkError."""

    quirk: Quirk
    value: str = ""
    probability: float = 1.0
    remaining: int | None = None
    """Number of further requests that the switch affects; None for no limit."""
    exam_id: str | None = None
    """Affects results of this exam only."""
    task: str | None = None
    """Affects requests with this task only."""
    since: int = 0
    """Virtual time of switch-on; the switchboard sets it."""

    def __post_init__(self) -> None:
        trait = TRAITS[self.quirk]
        if not self.value:
            object.__setattr__(self, "value", trait.value)
        if not trait.accepts(self.value):
            raise QuirkError(f"{self.quirk} does not accept the value {self.value!r}: {trait.effect}")
        if not 0 < self.probability <= 1:
            raise QuirkError(f"{self.quirk}: a probability is above 0 and at most 1, not {self.probability:g}")
        if self.remaining is not None and self.remaining < 1:
            raise QuirkError(f"{self.quirk}: nextN needs at least 1 request, not {self.remaining}")
        if self.task not in {None, EXAMS, RESULTS}:
            raise QuirkError(f"{self.quirk}: there is no task {self.task!r}, only {EXAMS} and {RESULTS}")

    @classmethod
    def parse(cls, text: str) -> Switch:
        """Parse ``name[=value][@probability|@nextN]``; raises QuirkError."""
        what, _, when = text.partition("@")
        name, _, value = what.partition("=")
        quirk = quirk_named(name.strip())
        try:
            if when.startswith("next"):
                return cls(quirk, value.strip(), remaining=int(when.removeprefix("next")))
            return cls(quirk, value.strip(), probability=float(when) if when else 1.0)
        except QuirkError:
            raise
        except ValueError:
            raise QuirkError(f"After @, write a probability or nextN, not {when!r}") from None

    def touches(self, task: str, exam_id: str | None) -> bool:
        """Return whether the switch affects a request."""
        tasks = {self.task, TRAITS[self.quirk].task} - {None}
        return tasks <= {task} and self.exam_id in {None, exam_id}

    @property
    def scope(self) -> tuple[bool, bool, str, str]:
        """Sort key and identity of the scope; wider scopes sort first."""
        return (self.exam_id is not None, self.task is not None, self.exam_id or "", self.task or "")


Active = Mapping[Quirk, Switch]
"""Quirks of one answer."""


def quirk_named(name: str) -> Quirk:
    """Return the quirk with this name; raises QuirkError."""
    try:
        return Quirk(name)
    except ValueError:
        raise QuirkError(f"There is no quirk {name!r}; choose from: {', '.join(Quirk)}") from None


_SwitchKey = tuple[Quirk, tuple[bool, bool, str, str]]


class Switchboard:
    """The switches that are on. The caller holds the world's lock.

    There is one switch per quirk and scope. A switch for one exam overrides a switch for one task, and both override a
    switch for all requests.

    Args:
        rng: decides which requests a switch with a probability affects.
        now: returns virtual Unix seconds.
    """

    def __init__(self, rng: random.Random, now: Callable[[], int]) -> None:
        self._rng = rng
        self._now = now
        self._on: dict[_SwitchKey, Switch] = {}

    def turn_on(self, switch: Switch) -> None:
        """Switch a quirk on. Replaces the switch with the same quirk and scope."""
        self._on[switch.quirk, switch.scope] = replace(switch, since=self._now())

    def turn_off(self, quirk: Quirk | None = None) -> None:
        """Switch one quirk off, or all."""
        for key in [key for key in self._on if quirk in {None, key[0]}]:
            del self._on[key]

    def switches(self) -> tuple[Switch, ...]:
        """Return the switches that are on."""
        return tuple(self._on.values())

    def draw(self, task: str, exam_id: str | None) -> Active:
        """Return the quirks of the answer to one request, and count down switches with a number of requests."""
        drawn: dict[Quirk, Switch] = {}
        for switch in self._for(task, exam_id):
            if switch.probability < 1 and self._rng.random() >= switch.probability:
                continue
            drawn[switch.quirk] = switch
            if switch.remaining == 1:
                del self._on[switch.quirk, switch.scope]
            elif switch.remaining is not None:
                self._on[switch.quirk, switch.scope] = replace(switch, remaining=switch.remaining - 1)
        return drawn

    def standing(self, task: str, exam_id: str | None) -> Active:
        """Return the quirks of every answer to such a request: those without probability and count."""
        return {
            switch.quirk: switch
            for switch in self._for(task, exam_id)
            if switch.probability >= 1 and switch.remaining is None
        }

    def _for(self, task: str, exam_id: str | None) -> list[Switch]:
        """Return the switches for such a request, narrower scopes last."""
        return sorted((each for each in self._on.values() if each.touches(task, exam_id)), key=lambda each: each.scope)
