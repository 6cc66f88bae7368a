"""Events that a destination of AWS's did not take.

::

    NotPublishedError    some events were not taken; ``refused`` names each and says whether to try again
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NO_ANSWER = "NoAnswer"
"""Stands for an answer that says neither that an event was taken nor that it was refused."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One event that was not taken."""

    event_id: str
    code: str
    """The destination's error code, or the name of the error that kept the request from it."""
    sender_fault: bool
    """The event itself, or the right to send it, is at fault: trying again as it is does not help."""


class NotPublishedError(Exception):
    """Some events were not taken; every one that ``refused`` does not name was."""

    def __init__(self, destination: str, refused: Sequence[Refusal]) -> None:
        codes = ", ".join(sorted({refusal.code for refusal in refused}))
        super().__init__(f"{destination} did not take {len(refused)} of the messages ({codes})")
        self.refused = tuple(refused)
