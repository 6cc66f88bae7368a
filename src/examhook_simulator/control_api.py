"""The control endpoint: the world's script, the switches and the truth, as JSON under ``/_sim/``.

``GET`` reads and ``POST`` acts. An impossible request gets status 400 with ``{"error": "…"}`` and changes
nothing. In Python, ``World`` does the same in process and ``SimulatorControl`` over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from examhook_simulator.control_acts import ACTS, Answer, Stage
from examhook_simulator.facts import WorldError
from examhook_simulator.quirks import QuirkError
from examhook_simulator.wire import Fields, WireError

CONTROL_PREFIX = "/_sim/"


@dataclass(frozen=True, slots=True)
class ControlReply:
    """An answer of the control endpoint; the body is JSON."""

    status: int
    body: bytes


class ControlApi:
    """Reads and acts of one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def get(self, path: str, query: Mapping[str, str]) -> ControlReply:
        """Answer a read."""
        read = READS.get(path.removeprefix(CONTROL_PREFIX))
        if read is None:
            return _not_found(READS)
        return _answered(lambda: read(self._stage, query))

    def post(self, path: str, body: bytes) -> ControlReply:
        """Answer an act."""
        act = ACTS.get(path.removeprefix(CONTROL_PREFIX))
        if act is None:
            return _not_found(ACTS)

        def work() -> Answer:
            given = Fields.parse(body)
            given.refuse_others(act.fields)
            return act.do(self._stage, given)

        return _answered(work)


def _clock(stage: Stage, _: Mapping[str, str]) -> Answer:
    return {"now": stage.world.now(), "speed": stage.world.clock.speed}


def _ledger(stage: Stage, query: Mapping[str, str]) -> Answer:
    return {"entries": [asdict(entry) for entry in stage.world.ledger(_after(query))]}


def _limit(stage: Stage, _: Mapping[str, str]) -> Answer:
    limit = stage.api.limit
    return {"per_second": limit.per_second, "refused": limit.refused, "most_in_a_second": limit.most_in_a_second}


def _quirks(stage: Stage, _: Mapping[str, str]) -> Answer:
    with stage.world.turn():
        return {"switches": [asdict(switch) for switch in stage.api.quirks.switches()]}


def _requests(stage: Stage, query: Mapping[str, str]) -> Answer:
    return {"requests": [asdict(record) for record in stage.api.requests(_after(query))]}


def _truth(stage: Stage, query: Mapping[str, str]) -> Answer:
    return {"rows": [asdict(row) for row in stage.world.truth(query.get("exam_id"))]}


READS: Mapping[str, Callable[[Stage, Mapping[str, str]], Answer]] = {
    "clock": _clock,
    "ledger": _ledger,
    "limit": _limit,
    "quirks": _quirks,
    "requests": _requests,
    "truth": _truth,
}
"""Everything that can be read, by its name in the path."""


def _answered(work: Callable[[], Answer]) -> ControlReply:
    try:
        return ControlReply(200, json.dumps(work()).encode())
    except (WorldError, QuirkError, WireError) as error:
        return ControlReply(400, json.dumps({"error": str(error)}).encode())


def _not_found(known: Mapping[str, object]) -> ControlReply:
    return ControlReply(404, json.dumps({"error": f"There is only: {', '.join(sorted(known))}"}).encode())


def _after(query: Mapping[str, str]) -> int:
    raw = query.get("after", "0")
    if not raw.isdecimal():
        raise WireError("after is not a whole number")
    return int(raw)
