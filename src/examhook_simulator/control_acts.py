"""Acts of the control endpoint, each with its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from examhook.model import Status
from examhook_simulator.facts import AttemptCount, AttemptRef, WorldError
from examhook_simulator.json_fields import Fields, FieldsError
from examhook_simulator.provider_api import ProviderApi
from examhook_simulator.quirks import Switch, quirk_named
from examhook_simulator.world import World

Answer = Mapping[str, object]

_ATTEMPT = ("exam_id", "candidate_id", "started_at", "at")
_MOST_ATTEMPTS = 100_000
_MOST_REQUESTS_PER_SECOND = 100_000


@dataclass(frozen=True, slots=True)
class Simulation:
    """A world and its API."""

    world: World
    api: ProviderApi


@dataclass(frozen=True, slots=True)
class Act:
    """One act with the names of its fields."""

    fields: tuple[str, ...]
    do: Callable[[Simulation, Fields], Answer]


def _create_exam(simulation: Simulation, given: Fields) -> Answer:
    exam_id = simulation.world.create_exam(
        _text(given, "title"),
        category=_text(given, "category"),
        available=given.flag("available") if given.has("available") else True,
        counts=_counts(given) if given.has("counts") else AttemptCount.STARTS,
        at=_at(given),
    )
    return {"exam_id": exam_id}


def _open_exam(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.open_exam(given.text("exam_id"), at=_at(given))
    return {}


def _close_exam(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.close_exam(given.text("exam_id"), at=_at(given))
    return {}


def _set_attempt_count(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.set_attempt_count(_counts(given), _text(given, "exam_id"))
    return {}


def _populate(simulation: Simulation, given: Fields) -> Answer:
    attempts = given.whole("attempts")
    if not 0 <= attempts <= _MOST_ATTEMPTS:
        raise FieldsError(f"attempts is a number from 0 to {_MOST_ATTEMPTS}")
    until = given.whole("until") if given.has("until") else None
    refs = simulation.world.populate(given.text("exam_id"), attempts, until)
    return {"attempts": [asdict(ref) for ref in refs]}


def _start(simulation: Simulation, given: Fields) -> Answer:
    ref = simulation.world.start(
        given.text("exam_id"), _text(given, "candidate_id"), _text(given, "name"), at=_at(given)
    )
    return asdict(ref)


def _ending(end: Callable[..., None]) -> Act:
    """Return the act of one of the four methods of ``World`` that end an attempt."""

    def do(simulation: Simulation, given: Fields) -> Answer:
        score = given.number("score") if given.has("score") else None
        end(simulation.world, _ref(simulation, given), score, at=_at(given))
        return {}

    return Act((*_ATTEMPT, "score"), do)


def _change_status(simulation: Simulation, given: Fields) -> Answer:
    try:
        status = Status(given.whole("status"))
    except ValueError:
        raise FieldsError("status is 1, 2, 3 or 4") from None
    simulation.world.change_status(_ref(simulation, given), status, at=_at(given))
    return {}


def _mark(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.mark(_ref(simulation, given), given.number("score"), at=_at(given))
    return {}


def _reopen(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.reopen(_ref(simulation, given), at=_at(given))
    return {}


def _remove(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.remove(_ref(simulation, given), at=_at(given))
    return {}


def _advance(simulation: Simulation, given: Fields) -> Answer:
    return {"now": simulation.world.advance(given.number("seconds"))}


def _run_at(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.run_at(given.number("speed"))
    return {}


def _live(simulation: Simulation, given: Fields) -> Answer:
    simulation.world.live(given.number("per_minute"))
    return {}


def _set_limit(simulation: Simulation, given: Fields) -> Answer:
    per_second = given.whole("per_second") if given.has("per_second") else None
    if per_second is not None and not 1 <= per_second <= _MOST_REQUESTS_PER_SECOND:
        raise FieldsError("per_second is 1 or more, or null for no limit")
    simulation.api.limit.per_second = per_second
    return {}


def _quirk_on(simulation: Simulation, given: Fields) -> Answer:
    switch = Switch.parse(given.text("switch"))
    with simulation.world.locked():
        simulation.api.quirks.turn_on(replace(switch, exam_id=_text(given, "exam_id"), task=_text(given, "task")))
    return {}


def _quirk_off(simulation: Simulation, given: Fields) -> Answer:
    quirk = quirk_named(given.text("quirk")) if given.has("quirk") else None
    with simulation.world.locked():
        simulation.api.quirks.turn_off(quirk)
    return {}


ACTS: Mapping[str, Act] = {
    "advance": Act(("seconds",), _advance),
    "change_status": Act((*_ATTEMPT, "status"), _change_status),
    "close_exam": Act(("exam_id", "at"), _close_exam),
    "create_exam": Act(("title", "category", "available", "counts", "at"), _create_exam),
    "force": _ending(World.force),
    "live": Act(("per_minute",), _live),
    "mark": Act((*_ATTEMPT, "score"), _mark),
    "open_exam": Act(("exam_id", "at"), _open_exam),
    "populate": Act(("exam_id", "attempts", "until"), _populate),
    "quirk_off": Act(("quirk",), _quirk_off),
    "quirk_on": Act(("switch", "exam_id", "task"), _quirk_on),
    "remove": Act(_ATTEMPT, _remove),
    "reopen": Act(_ATTEMPT, _reopen),
    "run_at": Act(("speed",), _run_at),
    "set_limit": Act(("per_second",), _set_limit),
    "set_attempt_count": Act(("counts", "exam_id"), _set_attempt_count),
    "start": Act(("exam_id", "candidate_id", "name", "at"), _start),
    "submit": _ending(World.submit),
    "system_submit": _ending(World.system_submit),
    "time_out": _ending(World.time_out),
}
"""Acts by the name in the path; docs/simulator.md has the same table."""


def _ref(simulation: Simulation, given: Fields) -> AttemptRef:
    """Return the named attempt; without ``started_at``, the candidate's latest."""
    exam_id, candidate_id = given.text("exam_id"), given.text("candidate_id")
    if given.has("started_at"):
        return AttemptRef(exam_id, candidate_id, given.whole("started_at"))
    with simulation.world.locked():
        own = simulation.world.exam(exam_id).rows_of(int(candidate_id)) if candidate_id.isdecimal() else []
    if not own:
        raise WorldError(f"Candidate {candidate_id} has no attempt at exam {exam_id}")
    return AttemptRef(exam_id, candidate_id, own[-1].started_at)


def _text(given: Fields, name: str) -> str | None:
    return given.text(name) if given.has(name) else None


def _at(given: Fields) -> int | None:
    return given.whole("at") if given.has("at") else None


def _counts(given: Fields) -> AttemptCount:
    try:
        return AttemptCount(given.text("counts"))
    except ValueError:
        raise FieldsError(f"counts is one of {', '.join(AttemptCount)}") from None
