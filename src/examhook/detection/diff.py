"""Differences between the rows of one exam and what is stored of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal

from examhook.detection.change import Change
from examhook.detection.transition import Observation, change_from, change_from_absence
from examhook.model import Attempt, AttemptKey, Submission


def diff(rows: Iterable[Attempt], stored: Mapping[AttemptKey, Submission], observation: Observation) -> list[Change]:
    """Changes to write for distinct ``rows``, in stored order; unchanged rows make none."""
    changes = (change_from(stored.get(row.key), row, observation) for row in rows)
    return sorted((change for change in changes if change is not None), key=lambda change: change.after.key)


def absences(
    seen: Container[AttemptKey], stored: Mapping[AttemptKey, Submission], observation: Observation
) -> list[Change]:
    """Changes to write for what is stored and was not ``seen`` in a complete full scan."""
    gone = (change_from_absence(each, observation) for key, each in stored.items() if key not in seen)
    return [change for change in gone if change is not None]


def further_along(one: Attempt, other: Attempt) -> Attempt:
    """Of two rows of one attempt, the one that is further along; ``one`` where neither is.

    A row that moves between pages may come twice and differ. The choice must not depend on the order of the pages,
    or every scan would see a change.
    """
    return other if _progress(other) > _progress(one) else one


def _progress(row: Attempt) -> tuple[bool, int, int, Decimal]:
    return (row.is_final, row.ended_at or 0, row.status_code, row.score_points or Decimal(0))
