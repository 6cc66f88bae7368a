"""Fresh result links for late deliveries. Deliver stores a request with the event, and the next poll answers it.

::

    Deliver: the link expires soon ───▶ stores a request; the delivery waits in the queue
    Poll:    reads open requests ─────▶ requests the row ──▶ stores the link, or closes the request
    Deliver: checks again ── link stored ──▶ sends the event with it
                          └─ closed, or no answer within WAIT_S ──▶ sends the event with the link marked as expired

A crash at any step delays the delivery by at most ``WAIT_S``. Only the link of the row is used, never its facts.
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
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderRejected, ProviderThrottled
from examhook.provider.port import ProviderClient
from examhook.storage.events import EventLinks, LinkedEvent
from examhook.workflows.polling.report import PollReport

MAX_REQUESTS = 20
"""Requests to the provider per poll. The client may retry the last one."""
MAX_EVENTS = 500
"""Events per poll. One query reads them, and storing their links takes a few seconds."""
SERVE_S = 15.0
"""Time in which requests may start, so that slow answers do not delay the next poll."""
LAST_REQUEST_S = 10.0
"""Time for the last request, including its wait for the rate limit."""
PAGE_ROWS = 100

Wanted = dict[AttemptKey, list[Event]]
"""Events that need a link, by attempt."""


def event_to_send(endpoint: Endpoint, kept: LinkedEvent, links: EventLinks, now: int) -> Event | None:
    """Return the event to send to ``endpoint`` at ``now`` (Unix seconds); None while it waits for a fresh link."""
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
    """Answer the account's open requests within the limits of one poll; raises ProviderRefused and ClientError.

    Call it at the end of a poll, because it shortens the client's deadline. It skips requests older than WAIT_S, whose
    deliveries were sent. If the provider asks for a pause or two exams in a row fail, the next poll continues.
    """
    if links is None:
        return
    by_exam = _by_exam(links.requested(account, int(now()) - WAIT_S, MAX_EVENTS))
    if not by_exam:
        return
    budget = _LinkBudget.of(client, links, now)
    failures = 0
    for exam_id, wanted in by_exam.items():
        error = budget.try_exam(exam_id, wanted)
        failures = 0 if error is None else failures + 1
        if error is not None:
            report.note_failure(error)
            report.notes.append(f"result links were not renewed: {error}")
        if failures > 1 or isinstance(error, ProviderThrottled):
            return


def _by_exam(requested: Iterable[Event]) -> dict[str, Wanted]:
    """Group the requests by exam and attempt."""
    by_exam: dict[str, Wanted] = defaultdict(lambda: defaultdict(list))
    for event in requested:
        by_exam[event.exam_id or ""][attempt_of(event)].append(event)
    return by_exam


@dataclass(slots=True)
class _LinkBudget:
    """Requests and time of one poll for result links."""

    client: ProviderClient
    links: EventLinks
    now: Callable[[], float]
    stop_at: float
    last_request: int
    """Value of ``requests_made`` at which no further request starts."""

    @classmethod
    def of(cls, client: ProviderClient, links: EventLinks, now: Callable[[], float]) -> _LinkBudget:
        """Return the budget of a poll that begins to serve links now."""
        stop_at = min(now() + SERVE_S, client.give_up_at - LAST_REQUEST_S)
        client.give_up_at = stop_at + LAST_REQUEST_S
        return cls(client, links, now, stop_at, client.requests_made + MAX_REQUESTS)

    @property
    def is_left(self) -> bool:
        """Whether another request may start."""
        return self.now() < self.stop_at and self.client.requests_made < self.last_request

    def serve_exam(self, exam_id: str, wanted: Wanted) -> None:
        """Answer requests for one exam, and remove them from ``wanted``; raises ProviderError."""
        start, found = 0, 2
        # Request pages while each shows several wanted rows, then one row at a time.
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
            # An error for one candidate does not concern the others.
            return None

    def _store(self, rows: Iterable[Attempt], wanted: Wanted, asked_at: float) -> int:
        """Store the links of wanted rows; return the number of these rows."""
        found = 0
        for row in rows:
            if row.key in wanted and row.result_url is not None:
                link = ResultLink(row.result_url, int(asked_at) + RESULT_LINK_LIFETIME_S)
                for event in wanted.pop(row.key):
                    self.links.answer(event, link)
                found += 1
        return found

    def try_exam(self, exam_id: str, wanted: Wanted) -> ProviderError | None:
        """Answer the requests of one exam; return the error if a later poll can succeed. Raises ProviderRefused."""
        try:
            self.serve_exam(exam_id, wanted)
        except ProviderRefused:
            raise
        except ProviderRejected:
            self.close([event for events in wanted.values() for event in events])
        except ProviderError as error:
            return error
        return None

    def close(self, events: Iterable[Event]) -> None:
        """Close requests that cannot be answered."""
        for event in events:
            self.links.close(event)


def attempt_of(event: Event) -> AttemptKey:
    """Return the key of a submission event's attempt."""
    envelope = json.loads(event.body)
    return AttemptKey(int(envelope["subject"].rpartition("/")[2]), envelope["data"]["candidate"]["id"])
