"""When a delivery gets a fresh result link, and what is sent without one.

::

    the endpoint sees no links, or the event has none ──▶ send as it is
    the link works for RENEW_BEFORE_S or longer       ──▶ send as it is
    the attempt was removed at the provider           ──▶ send without a fresh link
    no request in the last REPEAT_AFTER_S             ──▶ request a link from the next poll, and wait
    the request is open, and younger than WAIT_S      ──▶ wait
    else                                              ──▶ send without a fresh link

Without a fresh link, a link that still works is sent as it is, and any other is marked as expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from examhook.delivery.endpoint import Endpoint, Privacy
from examhook.events.build import Event
from examhook.events.catalogue import EventType
from examhook.events.result_link import ResultLink, link_of, with_link, without_link

RENEW_BEFORE_S = 300
"""Remaining lifetime below which a link is renewed: a receiver needs time to use it."""
WAIT_S = 300
"""Longest wait for the answer to a request: a few polls."""
REPEAT_AFTER_S = 600
"""Shortest time between two requests for the same event; less than a link's 30 minutes minus RENEW_BEFORE_S."""


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """The last request for a fresh link of an event."""

    at: int
    """Unix seconds."""
    is_open: bool
    """Whether no poll has answered it."""


class LinkAction(Enum):
    """What to do before an event is sent."""

    SEND = auto()
    REQUEST = auto()
    WAIT = auto()


def link_action(event: Event, request: LinkRequest | None, now: int) -> LinkAction:
    """What to do at ``now`` (Unix seconds) with ``event``, which carries its newest link."""
    link = link_of(event)
    if link is None or not is_near_end(link, now) or not can_be_renewed(event):
        return LinkAction.SEND
    if request is None or now - request.at >= REPEAT_AFTER_S:
        return LinkAction.REQUEST
    return LinkAction.WAIT if request.is_open and now - request.at < WAIT_S else LinkAction.SEND


def is_near_end(link: ResultLink, now: int) -> bool:
    """Whether ``link`` has expired at ``now`` (Unix seconds), or will soon."""
    return link.expires_at - now < RENEW_BEFORE_S


def sees_links(endpoint: Endpoint) -> bool:
    """Whether the endpoint's privacy profile includes links."""
    return endpoint.privacy is Privacy.FULL


def can_be_renewed(event: Event) -> bool:
    """Whether a poll of the event's account can get a link for it: not after the attempt was removed."""
    return event.account is not None and event.event_type != EventType.REMOVED


def with_newest_link(event: Event, renewed: ResultLink | None) -> Event:
    """``event`` with ``renewed`` in place of its own link, if ``renewed`` works longer."""
    own = link_of(event)
    if own is None or renewed is None or renewed.expires_at <= own.expires_at:
        return event
    return with_link(event, renewed)


def marked_if_expired(event: Event, now: int) -> Event:
    """``event``, its link marked as expired if it no longer works at ``now``."""
    own = link_of(event)
    return without_link(event) if own is not None and own.expires_at <= now else event
