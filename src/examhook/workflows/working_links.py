"""Deliver's look at an event's result link: the event as it is sent now, with a link that works or marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.link_renewal import (
    can_be_renewed,
    is_near_end,
    marked_if_expired,
    sees_links,
    with_newest_link,
)
from examhook.destinations.link_service import LinkService, Renewal
from examhook.events.build import Event
from examhook.events.result_link import link_of
from examhook.storage.event_links import LinkedEvent


@dataclass(frozen=True, slots=True)
class WorkingLinks:
    """Gives events their newest links; may be used by several threads."""

    service: LinkService | None
    """None: links are sent as they are."""
    now: Callable[[], float]

    def event_for(self, endpoint: Endpoint, kept: LinkedEvent, *, may_wait: bool) -> Event | None:
        """The event for one attempt at ``endpoint``; None if a fresh link is to be had soon and it may wait for it."""
        if self.service is None or not sees_links(endpoint):
            return kept.event
        event = with_newest_link(kept.event, kept.renewed)
        link = link_of(event)
        if link is None or not is_near_end(link, int(self.now())):
            return event
        renewal = Renewal()
        if can_be_renewed(event):
            renewal = self.service.renew(event.event_id, event.account or "")
        if renewal.busy and may_wait:
            return None
        return marked_if_expired(with_newest_link(event, renewal.link), int(self.now()))
