"""Values that optional fields of a test record can have in Joomla components and their like."""

from __future__ import annotations

from examhook.model import Status
from examhook_simulator.attempt_rows import Row
from examhook_simulator.chance import chance

NULL_DATE_S = -62_169_984_000
"""What PHP makes of Joomla's null date."""

NULL_DATE_TEXT = "0000-00-00 00:00:00"

OddCell = str | int | float | bool


def odd_fields(row: Row, seed: str) -> dict[str, OddCell]:
    """The fields of one row that look odd; each row keeps its forms for as long as the seed is the same."""
    fields: dict[str, OddCell] = {
        "score": _one(_scores(row.score), "score", seed, row),
        "endTime": _one(_ends(row.ended_at), "end", seed, row),
    }
    if row.status is Status.FORCED:
        fields["startTime"] = _one((0, row.started_at), "start", seed, row)
    return fields


def _one(forms: tuple[OddCell, ...], field: str, seed: str, row: Row) -> OddCell:
    return forms[int(len(forms) * chance("odd", field, seed, row.record_id))]


def _scores(score: float) -> tuple[OddCell, ...]:
    return f"{score:.1f}".replace(".", ","), False, "N/A", f"{score:g}/100", f"{score:g}%", score


def _ends(ended_at: int) -> tuple[OddCell, ...]:
    if not ended_at:
        return False, NULL_DATE_S, NULL_DATE_TEXT, 0
    return False, NULL_DATE_S, NULL_DATE_TEXT, ended_at + 0.25, ended_at + 0.5, ended_at
