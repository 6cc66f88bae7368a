"""Candidates of the simulated world: ids and names."""

from __future__ import annotations

import random

from examhook_simulator.facts import WorldError
from examhook_simulator.names import candidate_name


class CandidateBook:
    """Ids of new candidates, and the name of every candidate. The world's lock is held around every call."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names: dict[int, str] = {}
        self._last_id = 19_000

    def enrol(self, candidate_id: str | None, name: str | None) -> tuple[int, str]:
        """Id and name of a candidate. None makes a new candidate; a given name replaces the known one."""
        if candidate_id is not None and not candidate_id.isdecimal():
            raise WorldError(f"A candidate's id is a number, not {candidate_id!r}")
        number = self._new_number() if candidate_id is None else int(candidate_id)
        if name is not None:
            self._names[number] = name
        elif number not in self._names:
            self._names[number] = candidate_name(self._rng)
        return number, self._names[number]

    def number_from(self, number: int) -> None:
        """Give new candidates ids above ``number``."""
        self._last_id = max(self._last_id, number)

    def _new_number(self) -> int:
        self._last_id += self._rng.randint(1, 9)
        while self._last_id in self._names:
            self._last_id += 1
        return self._last_id
