"""The provider's habits and accidents, each behind a switch; switches combine.

A switch is written ``name[=value][@probability|@nextN]``: ``cut_body``, ``limit_cap=10``,
``server_error=502@0.1`` (one request in ten), ``reset@next3`` (the next three requests, then off).

::

    QuirkError    no such quirk, or a value that it does not accept; retrying does not help
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from examhook_simulator.quirk_names import EXAMS, RESULTS, Quirk
from examhook_simulator.traits import TRAITS

__all__ = ["EXAMS", "RESULTS", "TRAITS", "Active", "Quirk", "QuirkError", "Switch", "Switchboard", "quirk_named"]


class QuirkError(ValueError):
    """The switch cannot be turned on; the message says why."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A quirk that is switched on: with which value, how often, for which requests. Raises QuirkError when made."""

    quirk: Quirk
    value: str = ""
    probability: float = 1.0
    remaining: int | None = None
    """Number of further requests that the switch touches; None for no end."""
    exam_id: str | None = None
    """Only for results of this exam."""
    task: str | None = None
    """Only for requests of this task."""
    since: int = 0
    """Virtual time at which it was turned on; the switchboard sets it."""

    def __post_init__(self) -> None:
        trait = TRAITS[self.quirk]
        if not self.value:
            object.__setattr__(self, "value", trait.value)
        if not trait.accepts(self.value):
            raise QuirkError(f"{self.quirk} does not accept the value {self.value!r}: {trait.effect}")
        if not 0 < self.probability <= 1:
            raise QuirkError(f"{self.quirk}: a probability is above 0 and at most 1, not {self.probability:g}")
        if self.remaining is not None and self.remaining < 1:
            raise QuirkError(f"{self.quirk}: the next {self.remaining} requests are none")
        if self.task not in {None, EXAMS, RESULTS}:
            raise QuirkError(f"{self.quirk}: there is no task {self.task!r}, only {EXAMS} and {RESULTS}")

    @classmethod
    def parse(cls, text: str) -> Switch:
        """A switch from ``name[=value][@probability|@nextN]``; raises QuirkError."""
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
            raise QuirkError(f"After @ comes a probability or next and a number, not {when!r}") from None

    def touches(self, task: str, exam_id: str | None) -> bool:
        """Whether a request is one that this switch is for."""
        tasks = {self.task, TRAITS[self.quirk].task} - {None}
        return tasks <= {task} and self.exam_id in {None, exam_id}

    @property
    def scope(self) -> tuple[bool, bool, str, str]:
        """What the switch is limited to; an unlimited switch sorts before a limited one."""
        return (self.exam_id is not None, self.task is not None, self.exam_id or "", self.task or "")


Active = Mapping[Quirk, Switch]
"""The quirks that one answer has."""


def quirk_named(name: str) -> Quirk:
    """The quirk of that name; raises QuirkError."""
    try:
        return Quirk(name)
    except ValueError:
        raise QuirkError(f"There is no quirk {name!r}; there are: {', '.join(Quirk)}") from None


_Place = tuple[Quirk, tuple[bool, bool, str, str]]


class Switchboard:
    """The switches that are on. The world's lock is held around every call.

    There is one switch per quirk and scope. A switch for one exam overrides a switch for one task, and both
    override a switch for all requests.

    Args:
        rng: decides which requests a switch with a probability touches.
        now: virtual Unix seconds.
    """

    def __init__(self, rng: random.Random, now: Callable[[], int]) -> None:
        self._rng = rng
        self._now = now
        self._on: dict[_Place, Switch] = {}

    def turn_on(self, switch: Switch) -> None:
        """Switch a quirk on; replaces the switch of the same quirk and scope."""
        self._on[switch.quirk, switch.scope] = replace(switch, since=self._now())

    def turn_off(self, quirk: Quirk | None = None) -> None:
        """Switch one quirk off, or all."""
        for place in [place for place in self._on if quirk in {None, place[0]}]:
            del self._on[place]

    def switches(self) -> tuple[Switch, ...]:
        """The switches that are on."""
        return tuple(self._on.values())

    def draw(self, task: str, exam_id: str | None) -> Active:
        """The quirks that the answer to one request has; uses up counted switches."""
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
        """The quirks that every answer to such a request has: those without probability or count."""
        return {
            switch.quirk: switch
            for switch in self._for(task, exam_id)
            if switch.probability >= 1 and switch.remaining is None
        }

    def _for(self, task: str, exam_id: str | None) -> list[Switch]:
        """The switches for such a request, the more limited ones last."""
        return sorted((each for each in self._on.values() if each.touches(task, exam_id)), key=lambda each: each.scope)
