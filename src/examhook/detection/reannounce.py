"""Which events of a stored submission to announce again, and the write that does it.

Two kinds come back, only those since a given time:

- the transitions that the submission still keeps, word for word;
- the event of its present status, as the first of its type: that of a submission that was recorded without an
  event, above all after the tables were lost.

Earlier events cannot be rebuilt. Facts stay as they are: the write only names the events and when it announced them,
so an old observation never replaces a newer one.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from examhook.detection.change import Change
from examhook.detection.old_results import happened_at
from examhook.detection.transition import announced
from examhook.events.catalogue import type_of_status
from examhook.events.identity import submission_event_id
from examhook.model import Submission


@dataclass(frozen=True, slots=True)
class Reannouncement:
    """The events of one submission that may be announced again."""

    stored: Submission
    kept: tuple[str, ...]
    """Ids of kept transitions, oldest first."""
    present: str | None
    """Id of the event of its present status, where no kept transition announced it."""

    @property
    def event_ids(self) -> tuple[str, ...]:
        """All of them."""
        return self.kept if self.present is None else (*self.kept, self.present)

    def change(self, wanted: Container[str], *, confirmed_at: int, now: int, fence: int) -> Change | None:
        """The write that announces the ``wanted`` events at ``now``; None where there is none.

        ``confirmed_at`` is when a full scan of the exam last showed what is stored.
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
    """The events of ``stored`` that happened at ``since`` (Unix seconds) or later."""
    kept = tuple(each.event_id for each in stored.transitions if each.occurred_at >= since)
    return Reannouncement(stored, kept, _present(stored, since))


def _present(stored: Submission, since: int) -> str | None:
    shown = not stored.removed and stored.missing_since is None
    if not shown or happened_at(stored.attempt) < since:
        return None
    event_type = type_of_status(stored.attempt.status_code)
    if stored.type_counts.get(event_type, 0) > 1:
        # The first of its type was followed by others, and its content is no longer known.
        return None
    event_id = submission_event_id(stored.account, stored.exam_id, stored.key, event_type, 1)
    return None if any(each.event_id == event_id for each in stored.transitions) else event_id


def _with_present(stored: Submission, *, confirmed_at: int, now: int) -> Submission:
    """``stored`` with the event of its present status added to its transitions."""
    event_type = type_of_status(stored.attempt.status_code)
    counts = {name: count for name, count in stored.type_counts.items() if name != event_type}
    made = announced(
        replace(
            stored,
            type_counts=counts,
            # It may have announced more before the tables were lost, and receivers drop what is not newer.
            sequence=stored.sequence or now,
            observed_at=max(stored.observed_at, confirmed_at),
        ),
        event_type,
        None,
    )
    return replace(
        made,
        # All others stay as well: this write may announce the oldest of them.
        transitions=(*stored.transitions, replace(made.transitions[-1], recalled_at=now)),
        type_counts={**stored.type_counts, event_type.value: 1},
        observed_at=stored.observed_at,
    )
