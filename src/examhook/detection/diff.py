"""What changed between the rows of one exam and what is stored of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal

from examhook.detection.change import Change
from examhook.detection.transition import Observation, change_from, change_from_absence
from examhook.model import Attempt, AttemptKey, Submission


def diff(rows: Iterable[Attempt], stored: Mapping[AttemptKey, Submission], observation: Observation) -> list[Change]:
    """Changes to write for distinct ``rows``, in stored order; rows that say nothing new make none."""
    changes = (change_from(stored.get(row.key), row, observation) for row in rows)
    return sorted((change for change in changes if change is not None), key=lambda change: change.after.key)


def absences(
    seen: Container[AttemptKey], stored: Mapping[AttemptKey, Submission], observation: Observation
) -> list[Change]:
    """Changes to write for what is stored and was not ``seen`` in a complete, quiet full pass."""
    gone = (change_from_absence(each, observation) for key, each in stored.items() if key not in seen)
    return [change for change in gone if change is not None]


def distinct(rows: Iterable[Attempt]) -> dict[AttemptKey, Attempt]:
    """One row for each attempt.

    Rows move between pages while one reads, so one may come twice, and differ when the attempt
    ended in between. Which one stands must not depend on the order, or every pass would see a
    change: the one that is further along does.
    """
    found: dict[AttemptKey, Attempt] = {}
    for row in rows:
        key = row.key
        other = found.get(key)
        found[key] = row if other is None else further_along(other, row)
    return found


def further_along(one: Attempt, other: Attempt) -> Attempt:
    """Of two rows of one attempt, the one that is further along; ``one`` where neither is."""
    return other if _progress(other) > _progress(one) else one


def _progress(row: Attempt) -> tuple[bool, int, int, Decimal]:
    return (row.is_final, row.ended_at or 0, row.status_code, row.score_points or Decimal(0))
