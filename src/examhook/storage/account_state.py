"""What the Exams table holds of one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook.detection.watch import AccountWatch, ExamWatch
from examhook.storage.account_item import Refusal
from examhook.storage.erasures import Erasures
from examhook.storage.lease_item import Awaited


@dataclass(frozen=True, slots=True)
class AccountState:
    """Its watch, its refusal, its exams by id."""

    watch: AccountWatch | None
    refusal: Refusal | None
    exams: Mapping[str, ExamWatch]
    completed_at: int | None = None
    """When the last poll that came to its end did, Unix seconds."""
    left_alone_until: int | None = None
    """Until when the provider asked not to be asked, Unix seconds."""
    erasures: Erasures = field(default_factory=Erasures)
    """Of whom nothing is to be stored or told."""
    awaited: Awaited | None = None
    """Which event is not yet seen to have gone out."""
