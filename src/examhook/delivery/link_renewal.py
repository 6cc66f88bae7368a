"""Decides whether a delivery waits for a fresh result link, and which link it sends.

::

    the endpoint gets no links, or the event has none ──▶ send
    the link works for RENEW_BEFORE_S or longer       ──▶ send
    the attempt was removed at the provider           ──▶ send without a fresh link
    no request in the last REPEAT_AFTER_S             ──▶ request a link from the next poll, and wait
    the request is open, and younger than WAIT_S      ──▶ wait
    else                                              ──▶ send without a fresh link

Without a fresh link, the event keeps its own link, which is marked as expired if it no longer works.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from examhook.delivery.endpoint import Endpoint, Privacy
from examhook.events.build import Event
from examhook.events.catalogue import EventType
from examhook.events.result_link import ResultLink, link_of, with_link, without_link

RENEW_BEFORE_S = 300
"""Remaining lifetime below which a link is renewed, because receivers need time to use it."""
WAIT_S = 300
"""Maximum wait for a requested link; allows for a few polls."""
REPEAT_AFTER_S = 600
"""Minimum time between two requests for the same event; less than a link's 30 minutes minus RENEW_BEFORE_S."""


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """The last request for a fresh link of an event."""

    at: int
    """Unix seconds."""
    is_open: bool
    """Whether no poll has handled the request yet."""


class LinkAction(Enum):
    """What to do before an event is sent."""

    SEND = auto()
    REQUEST = auto()
    WAIT = auto()


def link_action(event: Event, request: LinkRequest | None, now: int) -> LinkAction:
    """The action at ``now`` (Unix seconds) for ``event``, which contains its newest link."""
    link = link_of(event)
    if link is None or not is_near_end(link, now) or not can_be_renewed(event):
        return LinkAction.SEND
    if request is None or now - request.at >= REPEAT_AFTER_S:
        return LinkAction.REQUEST
    return LinkAction.WAIT if request.is_open and now - request.at < WAIT_S else LinkAction.SEND


def is_near_end(link: ResultLink, now: int) -> bool:
    """Whether ``link`` expires less than RENEW_BEFORE_S after ``now`` (Unix seconds)."""
    return link.expires_at - now < RENEW_BEFORE_S


def sees_links(endpoint: Endpoint) -> bool:
    """Whether the endpoint's privacy profile includes links."""
    return endpoint.privacy is Privacy.FULL


def can_be_renewed(event: Event) -> bool:
    """Whether a poll can get a link for the event; not possible after the attempt was removed."""
    return event.account is not None and event.event_type != EventType.REMOVED


def with_newest_link(event: Event, renewed: ResultLink | None) -> Event:
    """``event`` with the link that works longer: its own or ``renewed``."""
    own = link_of(event)
    if own is None or renewed is None or renewed.expires_at <= own.expires_at:
        return event
    return with_link(event, renewed)


def marked_if_expired(event: Event, now: int) -> Event:
    """``event``, with its link marked as expired if it no longer works at ``now`` (Unix seconds)."""
    own = link_of(event)
    return without_link(event) if own is not None and own.expires_at <= now else event
