"""Publishing of events in batches, for destinations that accept or reject each event separately.

::

    NotPublishedError    some events were not published; ``unpublished`` says which, and whether a retry can help
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from examhook.events.build import Event

EntryT = TypeVar("EntryT")

NO_ANSWER = "NoAnswer"
"""Error code for an event that the response neither confirms nor rejects."""


@dataclass(frozen=True, slots=True)
class UnpublishedEvent:
    """An event that was not published."""

    event_id: str
    code: str
    """Error code of the destination, or class name of the error that prevented the request."""
    sender_fault: bool
    """Whether the event or the permissions are the cause, so that retrying the same event does not help."""


class NotPublishedError(Exception):
    """Some events were not published; all others were."""

    def __init__(self, destination: str, unpublished: Sequence[UnpublishedEvent]) -> None:
        codes = ", ".join(sorted({each.code for each in unpublished}))
        super().__init__(f"{destination} did not accept {len(unpublished)} of the messages ({codes})")
        self.unpublished = tuple(unpublished)


def split_batches(
    entries: Sequence[tuple[Event, EntryT]], size_of: Callable[[EntryT], int], max_entries: int, max_bytes: int
) -> Iterator[list[tuple[Event, EntryT]]]:
    """Split ``entries`` into batches of at most ``max_entries`` and ``max_bytes``, in the same order.

    An entry larger than ``max_bytes`` gets a batch of its own, which the destination rejects.
    """
    batch: list[tuple[Event, EntryT]] = []
    batch_bytes = 0
    for event, entry in entries:
        entry_bytes = size_of(entry)
        if batch and (len(batch) == max_entries or batch_bytes + entry_bytes > max_bytes):
            yield batch
            batch, batch_bytes = [], 0
        batch.append((event, entry))
        batch_bytes += entry_bytes
    if batch:
        yield batch


def publish_batches(
    destination: str,
    batches: Iterator[list[tuple[Event, EntryT]]],
    publish_batch: Callable[[list[tuple[Event, EntryT]]], Sequence[UnpublishedEvent]],
    rejected_codes: frozenset[str],
) -> None:
    """Publish each batch; raises NotPublishedError after the last one.

    If a request fails with one of ``rejected_codes``, the destination rejects the content of that batch only. After any
    other failed request, no further request is made, and all remaining events count as unpublished for the same reason.
    """
    unpublished: list[UnpublishedEvent] = []
    outage: str | None = None
    for batch in batches:
        if outage is not None:
            unpublished += all_unpublished(batch, outage)
            continue
        try:
            unpublished += publish_batch(batch)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            is_rejected = code in rejected_codes
            unpublished += all_unpublished(batch, code, sender_fault=is_rejected)
            outage = None if is_rejected else code
        except BotoCoreError as error:
            outage = type(error).__name__
            unpublished += all_unpublished(batch, outage)
    if unpublished:
        raise NotPublishedError(destination, unpublished)


def all_unpublished(
    batch: Sequence[tuple[Event, object]], code: str, *, sender_fault: bool = False
) -> list[UnpublishedEvent]:
    """Every event of ``batch``, with the same error code."""
    return [UnpublishedEvent(event.event_id, code, sender_fault) for event, _ in batch]
