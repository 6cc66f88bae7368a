"""What rows of the matrix gave, kept in a file, so that a run can be made in parts and none is made twice."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.faults.matrix import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """One row's figures."""

    group: str
    fault: str
    made: int | None
    lost: int
    invented: int
    repeated: int
    took_s: float

    @classmethod
    def of(cls, outcome: Outcome) -> Result:
        """The figures of an outcome."""
        row, took_s = outcome.row, round(outcome.through_s, 1)
        return cls(row.group, row.fault, outcome.made, outcome.lost, outcome.invented, outcome.repeated, took_s)

    @property
    def good(self) -> bool:
        """Whether the fault was met and did no harm."""
        return not self.lost and not self.invented and self.made != 0


def read(path: Path) -> list[Result]:
    """What was kept; nothing where there is no such file."""
    return [Result(**line) for line in map(json.loads, path.read_text().splitlines())] if path.exists() else []


def keep(path: Path, result: Result) -> None:
    """Add one row."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(result)) + "\n")
