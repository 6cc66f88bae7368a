"""How an endpoint has been doing, and what the operators are still to be told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.events.body import DetailValue
from examhook.events.catalogue import OperationsEventType

DOWN_AFTER_FAILURES = 3
"""Failures in a row, without one success between them, from which an endpoint counts as down."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the latest attempts at an endpoint went; times are Unix seconds."""

    last_success_at: int | None = None
    last_failure_at: int | None = None
    failing_since: int | None = None
    """Time of the first failure after the last success."""
    last_error: str | None = None
    """What the last failure was, in words."""
    consecutive_failures: int = 0
    draining: bool = False
    """It recovered, and what waited for it is still being sent."""
    probe_until: int | None = None
    """Until when nobody else may try it while it is down."""
    slowed_until: int | None = None
    """Until when it is served slowly, because it said that it has too much to do."""
    paced_until: float | None = None
    """Until when the places of its pace are taken; with fractions of a second."""
    warned_at: int | None = None
    """When the operators were last warned."""
    warned_since: int | None = None
    """``failing_since`` of the failures that they were warned of."""

    @property
    def is_down(self) -> bool:
        """Whether to try with one event at a time; a single event that the receiver dislikes is not enough."""
        return self.consecutive_failures >= DOWN_AFTER_FAILURES


@dataclass(frozen=True, slots=True)
class Notice:
    """What the operators are to be told.

    Stored with the endpoint by the write that makes it true, and taken away once it was published,
    so that neither a crash nor a topic that cannot be reached loses it.
    """

    event_type: OperationsEventType
    at: int
    """When it became true, Unix seconds."""
    message: str
    details: Mapping[str, DetailValue]
