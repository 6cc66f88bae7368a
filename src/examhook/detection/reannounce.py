"""Finds the events of a stored submission that can be announced again, and the write that announces them.

Only events since a given time are announced again:

- the transitions that the submission keeps, unchanged;
- the event of its current status, as the first of its type, if the submission was recorded without an event, for
  example after a loss of the tables.

Earlier events cannot be rebuilt. The write changes no facts, so an old observation never replaces a newer one.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from examhook.detection.old_results import happened_at
from examhook.detection.transition import Change, announced
from examhook.events.catalogue import type_of_status
from examhook.events.identity import submission_event_id
from examhook.model import Submission


@dataclass(frozen=True, slots=True)
class Reannouncement:
    """The events of one submission that can be announced again."""

    stored: Submission
    kept: tuple[str, ...]
    """Ids of kept transitions, oldest first."""
    present: str | None
    """Id of the event of its current status; None if a kept transition announced it."""

    @property
    def event_ids(self) -> tuple[str, ...]:
        """Ids of all these events."""
        return self.kept if self.present is None else (*self.kept, self.present)

    def change(self, wanted: Container[str], *, confirmed_at: int, now: int, fence: int) -> Change | None:
        """Return the write that announces the ``wanted`` events at ``now``; None if there are none.

        ``confirmed_at`` is the time of the exam's last complete full scan.
        """
        stored = self.stored
        kept = {event_id for event_id in self.kept if event_id in wanted}
        again = tuple(each.sequence for each in stored.transitions if each.event_id in kept)
        after = replace(
            stored,
            transitions=tuple(
                replace(each, recalled_at=now) if each.sequence in again else each for each in stored.transitions
            ),
            version=stored.version + 1,
            fence=fence,
        )
        if self.present is not None and self.present in wanted:
            after = _with_present(after, confirmed_at=confirmed_at, now=now)
        elif not again:
            return None
        return Change(stored, after, again)


def reannouncement(stored: Submission, since: int) -> Reannouncement:
    """Return the events of ``stored`` that happened at ``since`` (Unix seconds) or later."""
    kept = tuple(each.event_id for each in stored.transitions if each.occurred_at >= since)
    return Reannouncement(stored, kept, _present(stored, since))


def _present(stored: Submission, since: int) -> str | None:
    is_listed = not stored.removed and stored.missing_since is None
    if not is_listed or happened_at(stored.attempt) < since:
        return None
    event_type = type_of_status(stored.attempt.status_code)
    if stored.type_counts.get(event_type, 0) > 1:
        # Later events of this type replaced the content of the first one.
        return None
    event_id = submission_event_id(stored.account, stored.exam_id, stored.key, event_type, 1)
    return None if any(each.event_id == event_id for each in stored.transitions) else event_id


def _with_present(stored: Submission, *, confirmed_at: int, now: int) -> Submission:
    """Return ``stored`` with the event of its current status as a further transition."""
    event_type = type_of_status(stored.attempt.status_code)
    counts = {name: count for name, count in stored.type_counts.items() if name != event_type}
    made = announced(
        replace(
            stored,
            type_counts=counts,
            # Receivers drop events that are not newer, and more events may have been sent before the tables were lost.
            sequence=stored.sequence or now,
            observed_at=max(stored.observed_at, confirmed_at),
        ),
        event_type,
        None,
    )
    return replace(
        made,
        # Keep all earlier transitions, because this write may announce the oldest one.
        transitions=(*stored.transitions, replace(made.transitions[-1], recalled_at=now)),
        type_counts={**stored.type_counts, event_type.value: 1},
        observed_at=stored.observed_at,
    )
