"""When the link to a result is renewed before an event is sent, and what is sent where that fails.

::

    endpoint may not see links, or event has none ──▶ send as it is
    works for RENEW_BEFORE_S or longer            ──▶ send as it is
    the attempt is gone at the provider           ──▶ no one to ask: as if asking had failed
    else                                          ──▶ ask for a fresh link
                                                        got one ──▶ send with it
                                                        failed  ──▶ still works: as it is; else marked as expired
"""

from __future__ import annotations

from examhook.delivery.endpoint import Endpoint, Privacy
from examhook.events.build import Event
from examhook.events.catalogue import EventType
from examhook.events.result_link import ResultLink, link_of, with_link, without_link

RENEW_BEFORE_S = 300
"""A link is renewed when it works for less than this: a receiver needs time to use it."""


def is_near_end(link: ResultLink, now: int) -> bool:
    """Whether ``link`` has expired at ``now`` (Unix seconds), or will soon."""
    return link.expires_at - now < RENEW_BEFORE_S


def sees_links(endpoint: Endpoint) -> bool:
    """Whether an endpoint is told links at all."""
    return endpoint.privacy is Privacy.FULL


def can_be_renewed(event: Event) -> bool:
    """Whether the provider can have a link for ``event``: not where it was just said that the attempt is gone."""
    return event.event_type != EventType.REMOVED


def with_newest_link(event: Event, renewed: ResultLink | None) -> Event:
    """``event`` with the link that was got for it since, if that works longer."""
    own = link_of(event)
    if own is None or renewed is None or renewed.expires_at <= own.expires_at:
        return event
    return with_link(event, renewed)


def marked_if_expired(event: Event, now: int) -> Event:
    """``event`` as it is sent when no fresh link is to be had."""
    own = link_of(event)
    return without_link(event) if own is not None and own.expires_at <= now else event
