"""Fresh result links for late deliveries: Deliver leaves a request on the event, the next poll serves it.

::

    Deliver: the link is near its end ──▶ request on the event's item ──▶ the delivery waits on the queue
    Poll:    reads open requests ──▶ asks the provider ──▶ stores the link, or closes the request
    Deliver: checks again ── link stored ──▶ sends with it
                          └─ closed, or no answer within WAIT_S ──▶ sends, the link marked as expired

A crash at any step costs at most ``WAIT_S``. Only the link is read from the provider's answer: facts come from
detection.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.link_renewal import (
    REPEAT_AFTER_S,
    WAIT_S,
    LinkAction,
    link_action,
    marked_if_expired,
    sees_links,
    with_newest_link,
)
from examhook.events.build import RESULT_LINK_LIFETIME_S, Event
from examhook.events.result_link import ResultLink
from examhook.model import Attempt, AttemptKey
from examhook.provider.errors import (
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderThrottled,
)
from examhook.provider.port import ProviderClient
from examhook.storage.event_links import EventLinks, LinkedEvent
from examhook.workflows.polling.report import PollReport

MAX_REQUESTS = 20
"""Requests to the provider per poll; the last one may be repeated by the client."""
MAX_EVENTS = 500
"""Events served per poll: one query reads them, and storing their links takes a few seconds."""
SERVE_S = 15.0
"""No request begins later than this after the first, so that slow answers do not delay the next poll."""
LAST_REQUEST_S = 10.0
"""Time for the last request, its wait for the pace included."""
PAGE_ROWS = 100

Wanted = dict[AttemptKey, list[Event]]
"""The events that want the link of an attempt."""


def event_to_send(endpoint: Endpoint, kept: LinkedEvent, links: EventLinks, now: int) -> Event | None:
    """The event for an attempt at ``endpoint`` at ``now`` (Unix seconds); None while it waits for a fresh link."""
    if not sees_links(endpoint):
        return kept.event
    event = with_newest_link(kept.event, kept.renewed)
    action = link_action(event, kept.request, now)
    match action:
        case LinkAction.SEND:
            return marked_if_expired(event, now)
        case LinkAction.REQUEST:
            links.request(event, now, now - REPEAT_AFTER_S)
            return None
        case LinkAction.WAIT:
            return None
        case _:
            assert_never(action)


def serve_link_requests(
    client: ProviderClient, links: EventLinks | None, account: str, report: PollReport, now: Callable[[], float]
) -> None:
    """Serve the account's open requests, as far as the share of one poll goes; call it last in a poll.

    Older requests than WAIT_S are left: their deliveries are sent by then. Raises ProviderRefused and ClientError.
    """
    if links is None:
        return
    by_exam: dict[str, Wanted] = defaultdict(lambda: defaultdict(list))
    for event in links.requested(account, int(now()) - WAIT_S, MAX_EVENTS):
        by_exam[event.exam_id or ""][attempt_of(event)].append(event)
    if by_exam:
        _serve(_Share.of(client, links, now), by_exam, report)


def _serve(share: _Share, by_exam: dict[str, Wanted], report: PollReport) -> None:
    """One exam after the other; the requests of one that the provider rejects are closed.

    The rest waits for the next poll when the provider asks for a pause or two exams in a row fail.
    """
    failures = 0
    for exam_id, wanted in by_exam.items():
        try:
            share.serve_exam(exam_id, wanted)
            failures = 0
        except ProviderRefused:
            raise
        except ProviderRejected:
            for events in wanted.values():
                share.close(events)
        except ProviderError as error:
            report.note_failure(error)
            report.notes.append(f"result links were not renewed: {error}")
            failures += 1
            if failures > 1 or isinstance(error, ProviderThrottled):
                return


@dataclass(slots=True)
class _Share:
    """The part of a poll that result links may use."""

    client: ProviderClient
    links: EventLinks
    now: Callable[[], float]
    stop_at: float
    last_request: int
    """Value of ``requests_made`` at which no further request begins."""

    @classmethod
    def of(cls, client: ProviderClient, links: EventLinks, now: Callable[[], float]) -> _Share:
        """The share of a poll, from now."""
        stop_at = min(now() + SERVE_S, client.give_up_at - LAST_REQUEST_S)
        client.give_up_at = stop_at + LAST_REQUEST_S
        return cls(client, links, now, stop_at, client.requests_made + MAX_REQUESTS)

    @property
    def is_left(self) -> bool:
        """Whether another request may begin."""
        return self.now() < self.stop_at and self.client.requests_made < self.last_request

    def serve_exam(self, exam_id: str, wanted: Wanted) -> None:
        """Answer requests for one exam, and take them out of ``wanted``; raises ProviderError."""
        start, found = 0, 2
        # By pages while each brings more than one link, then one by one.
        while len(wanted) > 1 and found > 1 and self.is_left:
            asked_at = self.now()
            page = self.client.results(exam_id, start, PAGE_ROWS)
            found = self._store(page.rows, wanted, asked_at)
            start += page.row_count
        for key in list(wanted):
            if not self.is_left:
                return
            asked_at = self.now()
            row = self._attempt(exam_id, key)
            if row is None or not self._store([row], wanted, asked_at):
                self.close(wanted.pop(key))

    def _attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        try:
            return self.client.attempt(exam_id, key)
        except ProviderRejected:
            # An error about one candidate says nothing about the others.
            return None

    def _store(self, rows: Iterable[Attempt], wanted: Wanted, asked_at: float) -> int:
        """Store the links of wanted rows; how many rows that were."""
        found = 0
        for row in rows:
            if row.key in wanted and row.result_url is not None:
                link = ResultLink(row.result_url, int(asked_at) + RESULT_LINK_LIFETIME_S)
                for event in wanted.pop(row.key):
                    self.links.answer(event, link)
                found += 1
        return found

    def close(self, events: Iterable[Event]) -> None:
        """Close requests that get no link."""
        for event in events:
            self.links.close(event)


def attempt_of(event: Event) -> AttemptKey:
    """Key of the attempt that a submission event is about."""
    envelope = json.loads(event.body)
    return AttemptKey(int(envelope["subject"].rpartition("/")[2]), envelope["data"]["candidate"]["id"])
