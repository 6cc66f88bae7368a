"""The provider's habits and accidents, each behind a switch; switches combine.

A switch is written ``name[=value][@probability|@nextN]``: ``cut_body``, ``limit_cap=10``,
``server_error=502@0.1`` (one request in ten), ``reset@next3`` (the next three requests, then off).

::

    QuirkError    no such quirk, or a value or figure that it cannot have; trying again doesn't help
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from examhook_cli.simulator.facts import RowOrder

EXAMS, RESULTS = "api.getExams", "api.queryResults"
"""The two tasks of the API, as requests name them."""

ROW_FIELDS = frozenset({"viewResult", "score", "startTime", "endTime", "status", "sid", "name", "tid", "passed"})


class QuirkError(ValueError):
    """The switch is not one that can be thrown; the message says why."""


class Quirk(StrEnum):
    """Everything that an answer can have about it."""

    NUMBERS_AS_STRINGS = "numbers_as_strings"
    ABSENT_FIELDS = "absent_fields"
    NO_STATUS_IN_LISTS = "no_status_in_lists"
    BARE_CANDIDATE = "bare_candidate"
    TID_AND_PASSED = "tid_and_passed"
    UNREADABLE_ROW = "unreadable_row"
    RAW_UNICODE = "raw_unicode"
    BOM = "bom"
    PHP_NOTICES = "php_notices"
    HTML_PAGE = "html_page"
    ERROR_OBJECT = "error_object"
    EMPTY_LIST = "empty_list"
    EMPTY_BODY = "empty_body"
    CUT_BODY = "cut_body"
    CUT_CONNECTION = "cut_connection"
    SERVER_ERROR = "server_error"
    THROTTLED = "throttled"
    RESET = "reset"
    SLOW = "slow"
    HANG = "hang"
    LIMIT_CAP = "limit_cap"
    IGNORE_START = "ignore_start"
    ROW_ORDER = "row_order"


def _number(least: float, most: float) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            return least <= float(value) <= most
        except ValueError:
            return False

    return check


def _whole(least: int, most: int) -> Callable[[str], bool]:
    return lambda value: value.isdecimal() and least <= int(value) <= most


@dataclass(frozen=True, slots=True)
class Trait:
    """What a quirk does, and which values its switch can have."""

    effect: str
    value: str = ""
    """Value where the switch names none; empty for a quirk that takes none."""
    accepts: Callable[[str], bool] = lambda value: not value
    task: str | None = None
    """The only task whose requests it can touch."""


TRAITS: Mapping[Quirk, Trait] = {
    Quirk.NUMBERS_AS_STRINGS: Trait("every number arrives as a string"),
    Quirk.ABSENT_FIELDS: Trait(
        "rows lack these fields (names with commas between them)",
        "name,passed,endTime",
        lambda value: ROW_FIELDS.issuperset(value.split(",")),
        RESULTS,
    ),
    Quirk.NO_STATUS_IN_LISTS: Trait("rows have a `status` only when one candidate is asked for", task=RESULTS),
    Quirk.BARE_CANDIDATE: Trait("rows have no `sid` and `name` when one candidate is asked for", task=RESULTS),
    Quirk.TID_AND_PASSED: Trait("rows have `tid` and `passed` as well", task=RESULTS),
    Quirk.UNREADABLE_ROW: Trait("so many rows of the answer make no sense", "1", _whole(1, 1000), RESULTS),
    Quirk.RAW_UNICODE: Trait("text as UTF-8 bytes instead of `\\u` escapes"),
    Quirk.BOM: Trait("a byte order mark before the body"),
    Quirk.PHP_NOTICES: Trait("PHP notices, with brackets in them, before the JSON"),
    Quirk.HTML_PAGE: Trait("an HTML error page with status 200"),
    Quirk.ERROR_OBJECT: Trait("an error object with status 200"),
    Quirk.EMPTY_LIST: Trait("an empty list, whatever there is"),
    Quirk.EMPTY_BODY: Trait("no body at all, status 200"),
    Quirk.CUT_BODY: Trait("the body ends in the middle, and the length says so too"),
    Quirk.CUT_CONNECTION: Trait("the connection ends in the middle of the body"),
    Quirk.SERVER_ERROR: Trait("status 500, or the one given", "500", _whole(400, 599)),
    Quirk.THROTTLED: Trait("status 429 with `Retry-After` so many seconds", "1", _whole(0, 86_400)),
    Quirk.RESET: Trait("the connection is reset instead of an answer"),
    Quirk.SLOW: Trait("the answer comes so many seconds late", "2", _number(0, 3600)),
    Quirk.HANG: Trait("no answer, and the end of the connection after so many seconds", "60", _number(0, 3600)),
    Quirk.LIMIT_CAP: Trait("`limit` is silently lowered to this", "10", _whole(1, 100_000)),
    Quirk.IGNORE_START: Trait("`start` is ignored: every page is the first"),
    Quirk.ROW_ORDER: Trait(
        "rows come `newest`, `oldest`, by `candidate`, or `shuffled` anew at every request (without it: newest)",
        RowOrder.SHUFFLED,
        lambda value: value in set(RowOrder),
        RESULTS,
    ),
}
"""What each quirk is; docs/simulator.md has the same as a table."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A quirk that is switched on: with which value, how often, for which requests. Raises QuirkError when made."""

    quirk: Quirk
    value: str = ""
    probability: float = 1.0
    remaining: int | None = None
    """For so many more requests that it touches; None without end."""
    exam_id: str | None = None
    """Only for results of this exam."""
    task: str | None = None
    """Only for requests of this task."""

    def __post_init__(self) -> None:
        trait = TRAITS[self.quirk]
        if not self.value:
            object.__setattr__(self, "value", trait.value)
        if not trait.accepts(self.value):
            raise QuirkError(f"{self.quirk} cannot have the value {self.value!r}: {trait.effect}")
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


def quirk_named(name: str) -> Quirk:
    """The quirk of that name; raises QuirkError."""
    try:
        return Quirk(name)
    except ValueError:
        raise QuirkError(f"There is no quirk {name!r}; there are: {', '.join(Quirk)}") from None


class Switchboard:
    """The switches that are on, one per quirk. The world's lock is held around every call."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._on: dict[Quirk, Switch] = {}

    def turn_on(self, switch: Switch) -> None:
        """Switch a quirk on, in place of the same quirk's switch before."""
        self._on[switch.quirk] = switch

    def turn_off(self, quirk: Quirk | None = None) -> None:
        """Switch one quirk off, or all."""
        for gone in list(self._on) if quirk is None else [quirk]:
            self._on.pop(gone, None)

    def switches(self) -> tuple[Switch, ...]:
        """The switches that are on."""
        return tuple(self._on.values())

    def draw(self, task: str, exam_id: str | None) -> Mapping[Quirk, str]:
        """The quirks, with their values, that the answer to one request has; uses up what is counted."""
        drawn: dict[Quirk, str] = {}
        for quirk, switch in list(self._on.items()):
            if not switch.touches(task, exam_id):
                continue
            if switch.probability < 1 and self._rng.random() >= switch.probability:
                continue
            drawn[quirk] = switch.value
            if switch.remaining == 1:
                del self._on[quirk]
            elif switch.remaining is not None:
                self._on[quirk] = replace(switch, remaining=switch.remaining - 1)
        return drawn
