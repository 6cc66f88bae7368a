"""The link to a result within an event: reading it, and putting another in its place without touching anything else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from examhook.events.body import SubmissionBody
from examhook.events.build import Event
from examhook.events.envelope import compact, instant
from examhook.events.privacy import is_about_a_candidate


@dataclass(frozen=True, slots=True)
class ResultLink:
    """A link that opens for whoever holds it, until it expires."""

    url: str = field(repr=False)
    expires_at: int
    """Unix seconds."""


def link_of(event: Event) -> ResultLink | None:
    """The link that ``event`` carries; None where it carries none. Raises UnstatedTypeError."""
    data = _data(event)
    result = None if data is None else data["submission"]["result"]
    if result is None or result["url"] is None:
        return None
    return ResultLink(result["url"], int(datetime.fromisoformat(result["expires_at"]).timestamp()))


def with_link(event: Event, link: ResultLink) -> Event:
    """``event``, which carries a link, with ``link`` in its place; every other byte stays."""
    return _with_result(event, link.url, instant(link.expires_at))


def without_link(event: Event) -> Event:
    """``event``, which carries a link, marked as one whose link has expired: no URL, the end as it was."""
    return _with_result(event, None, None)


def _data(event: Event) -> SubmissionBody | None:
    if not is_about_a_candidate(event):
        return None
    return cast("SubmissionBody", json.loads(event.body)["data"])


def _with_result(event: Event, url: str | None, expires_at: str | None) -> Event:
    # Bodies are written by ``compact`` and read into the same order of keys, so it writes the same bytes again.
    envelope = json.loads(event.body)
    result = envelope["data"]["submission"]["result"]
    result["url"] = url
    if expires_at is not None:
        result["expires_at"] = expires_at
    return replace(event, body=compact(envelope))
