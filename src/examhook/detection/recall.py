"""Which events of a stored submission are to be announced once more, and the write that does it.

Two kinds come back, those since a time only:

- the transitions that the submission still keeps, word for word;
- the event that its present status stands for, as the first of its type: that of a submission which was
  recorded in silence, above all after the tables were lost.

What else there was is known to nobody any more. Facts are never touched: the write says only what to
announce, and when that was, so an old observation cannot come to stand for a newer one.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from examhook.detection.change import Change
from examhook.detection.transition import announced, happened_at
from examhook.events.catalogue import type_of_status
from examhook.events.identity import submission_event_id
from examhook.model import Submission


@dataclass(frozen=True, slots=True)
class Moment:
    """When events are announced once more, by the provider's clock."""

    at: int
    """When that began."""
    confirmed_at: int
    """When the exam was last read whole, so that what is stored was shown; 0: never."""
    now: int
    """When this part of it is written, by our own clock."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What a submission has to announce once more."""

    stored: Submission
    kept: tuple[str, ...]
    """Ids of kept transitions, oldest first."""
    present: str | None
    """Id of the event of its present status, where no transition stands for it."""

    @property
    def event_ids(self) -> tuple[str, ...]:
        """All of them."""
        return self.kept if self.present is None else (*self.kept, self.present)

    def change(self, wanted: Container[str], moment: Moment, fence: int) -> Change | None:
        """The write that announces those of the events that are ``wanted``; None where none is."""
        stored = self.stored
        kept = {event_id for event_id in self.kept if event_id in wanted}
        again = tuple(each.sequence for each in stored.transitions if each.event_id in kept)
        after = replace(
            stored,
            transitions=tuple(
                replace(each, recalled_at=moment.now) if each.sequence in again else each for each in stored.transitions
            ),
            version=stored.version + 1,
            fence=fence,
        )
        if self.present is not None and self.present in wanted:
            after = _with_present(after, moment)
        elif not again:
            return None
        return Change(stored, after, again)


def recall(stored: Submission, since: int) -> Recall:
    """What ``stored`` has to announce of what happened at ``since`` (Unix seconds) or later."""
    kept = tuple(each.event_id for each in stored.transitions if each.occurred_at >= since)
    return Recall(stored, kept, _present(stored, since))


def _present(stored: Submission, since: int) -> str | None:
    shown = not stored.removed and stored.missing_since is None
    if not shown or happened_at(stored.attempt) < since:
        return None
    event_type = type_of_status(stored.attempt.status_code)
    if stored.type_counts.get(event_type, 0) > 1:
        # The first of its type was followed by others of it: what it said then is not known any more.
        return None
    event_id = submission_event_id(stored.account, stored.exam_id, stored.key, event_type, 1)
    return None if any(each.event_id == event_id for each in stored.transitions) else event_id


def _with_present(stored: Submission, moment: Moment) -> Submission:
    """``stored`` with the event of its present status added to its transitions."""
    event_type = type_of_status(stored.attempt.status_code)
    counts = {name: count for name, count in stored.type_counts.items() if name != event_type}
    made = announced(
        replace(
            stored,
            type_counts=counts,
            # It may have announced more before the tables were lost, and receivers drop what is not newer.
            sequence=stored.sequence or moment.at,
            observed_at=max(stored.observed_at, moment.confirmed_at),
        ),
        event_type,
        None,
    )
    return replace(
        made,
        # All of the others as well: this write may announce the oldest of them.
        transitions=(*stored.transitions, replace(made.transitions[-1], recalled_at=moment.now)),
        type_counts={**stored.type_counts, event_type.value: 1},
        observed_at=stored.observed_at,
    )
