"""Reads and replaces the result link in an event. Every other byte of the body stays the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from examhook.events.body import SubmissionBody
from examhook.events.build import Event
from examhook.events.encoding import compact, instant
from examhook.events.privacy import is_about_a_candidate


@dataclass(frozen=True, slots=True)
class ResultLink:
    """Link to a result. Anyone who has it can open it until it expires."""

    url: str = field(repr=False)
    expires_at: int
    """Unix seconds."""


def link_of(event: Event) -> ResultLink | None:
    """Return the link in ``event``, None if it has none; raises UnclassifiedTypeError."""
    if not is_about_a_candidate(event):
        return None
    result = cast("SubmissionBody", json.loads(event.body)["data"])["submission"]["result"]
    if result is None or result["url"] is None:
        return None
    return ResultLink(result["url"], int(datetime.fromisoformat(result["expires_at"]).timestamp()))


def with_link(event: Event, link: ResultLink) -> Event:
    """Replace the link of ``event`` with ``link``; the event must have a link."""
    return _with_result(event, url=link.url, expires_at=instant(link.expires_at))


def without_link(event: Event) -> Event:
    """Remove the URL of the link of ``event``, to mark the link as expired; the event must have a link."""
    return _with_result(event, url=None)


def _with_result(event: Event, **changes: str | None) -> Event:
    # compact() wrote the body, and json.loads keeps the order of keys, so all other bytes stay the same.
    envelope = json.loads(event.body)
    envelope["data"]["submission"]["result"].update(changes)
    return replace(event, body=compact(envelope))
