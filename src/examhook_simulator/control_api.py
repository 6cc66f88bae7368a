"""The control endpoint under ``/_sim/``: it changes the world and the quirks, and reads the truth, as JSON.

``GET`` reads and ``POST`` acts. An impossible request gets status 400 with ``{"error": "…"}`` and changes nothing. In
Python, use ``World`` in the same process or ``SimulatorControl`` over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from examhook_simulator.control_acts import ACTS, Answer, Simulation
from examhook_simulator.facts import WorldError
from examhook_simulator.json_fields import Fields, FieldsError
from examhook_simulator.quirks import QuirkError

CONTROL_PREFIX = "/_sim/"


@dataclass(frozen=True, slots=True)
class ControlReply:
    """An answer of the control endpoint; the body is JSON."""

    status: int
    body: bytes


class ControlApi:
    """Reads and acts on one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def get(self, path: str, query: Mapping[str, str]) -> ControlReply:
        """Answer a read."""
        read = READS.get(path.removeprefix(CONTROL_PREFIX))
        if read is None:
            return _not_found(READS)
        return _answered(lambda: read(self._simulation, query))

    def post(self, path: str, body: bytes) -> ControlReply:
        """Answer an act."""
        act = ACTS.get(path.removeprefix(CONTROL_PREFIX))
        if act is None:
            return _not_found(ACTS)

        def work() -> Answer:
            given = Fields.parse(body)
            given.refuse_others(act.fields)
            return act.do(self._simulation, given)

        return _answered(work)


def _clock(simulation: Simulation, _: Mapping[str, str]) -> Answer:
    return {"now": simulation.world.now(), "speed": simulation.world.clock.speed}


def _ledger(simulation: Simulation, query: Mapping[str, str]) -> Answer:
    return {"entries": [asdict(entry) for entry in simulation.world.ledger(_after(query))]}


def _limit(simulation: Simulation, _: Mapping[str, str]) -> Answer:
    limit = simulation.api.limit
    return {"per_second": limit.per_second, "refused": limit.refused, "most_in_a_second": limit.most_in_a_second}


def _quirks(simulation: Simulation, _: Mapping[str, str]) -> Answer:
    with simulation.world.locked():
        return {"switches": [asdict(switch) for switch in simulation.api.quirks.switches()]}


def _requests(simulation: Simulation, query: Mapping[str, str]) -> Answer:
    return {"requests": [asdict(record) for record in simulation.api.requests(_after(query))]}


def _truth(simulation: Simulation, query: Mapping[str, str]) -> Answer:
    return {"rows": [asdict(row) for row in simulation.world.truth(query.get("exam_id"))]}


READS: Mapping[str, Callable[[Simulation, Mapping[str, str]], Answer]] = {
    "clock": _clock,
    "ledger": _ledger,
    "limit": _limit,
    "quirks": _quirks,
    "requests": _requests,
    "truth": _truth,
}
"""Reads by the name in the path."""


def _answered(work: Callable[[], Answer]) -> ControlReply:
    try:
        return ControlReply(200, json.dumps(work()).encode())
    except (WorldError, QuirkError, FieldsError) as error:
        return ControlReply(400, json.dumps({"error": str(error)}).encode())


def _not_found(known: Mapping[str, object]) -> ControlReply:
    return ControlReply(404, json.dumps({"error": f"Unknown path; choose from: {', '.join(sorted(known))}"}).encode())


def _after(query: Mapping[str, str]) -> int:
    raw = query.get("after", "0")
    if not raw.isdecimal():
        raise FieldsError("after is not a whole number")
    return int(raw)
