"""Links: get a fresh link to a result for one event, asking the provider as little as possible.

::

    event ─▶ has a link that works long enough? ── yes ──▶ that one
      somebody asks for it right now? ──▶ wait for what they get
      asking failed a moment ago? ──▶ none
        be the one who asks for this event
          wait for the account's turn ── the provider is left alone ──▶ none
            │                          └ others are before us for too long ──▶ none, but busy: later helps
            └─▶ ask for that candidate at that exam, once ─▶ give the turn back ─▶ keep the link

A crash at any step costs the next one at most ``CLAIM_S``. Nothing but the link is looked at: facts
come from polls.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from examhook.delivery.link_renewal import can_be_renewed, is_near_end
from examhook.events.build import RESULT_LINK_SECONDS, Event
from examhook.events.result_link import ResultLink, link_of
from examhook.model import Attempt, AttemptKey
from examhook.provider.errors import ProviderError, ProviderRejected, ProviderThrottled
from examhook.storage.event_links import EventLinks
from examhook.storage.link_turns import SPACING_MS, LinkTurns, Quiet, Turn

ASK_S = 4.0
"""The provider has so long to answer, waiting between two requests of one turn included."""
PATIENCE_S = 2.0
"""So long is waited for one's turn, or for what another gets."""
CLAIM_S = 10
"""Longer than one go can take."""

FAILED_QUIET_S = 30.0
"""After a failure the provider is left alone for this, twice as long after each further one, up to …"""
LONGEST_QUIET_S = 600.0
NOT_FOUND_QUIET_S = 600
"""An attempt that the provider shows no link for is not asked for again before this."""

_LOOK_EVERY_S = 0.1


class LinkProvider(Protocol):
    """The part of a provider's client that is used."""

    give_up_at: float

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        """One attempt, with as few requests as the API allows; None if it is not found. Raises ProviderError."""


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """What came of it."""

    link: ResultLink | None
    reason: str
    """In words that may be logged."""
    busy: bool = False
    """Others were before us; asking again soon helps."""
    quiet_s: float = 0.0
    """The account's provider is not asked for so long."""


@dataclass(frozen=True, slots=True)
class RenewLinks:
    """The use case behind the Links function."""

    links: EventLinks
    turns: LinkTurns
    provider_of: Callable[[str], LinkProvider | None]
    """A client for an account by its name; None where its links are not renewed."""
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def run(self, event_id: str) -> LinkAnswer:
        """A link for the event, or why there is none; raises botocore's errors and what ``provider_of`` raises."""
        give_up_at = self.now() + PATIENCE_S
        owner = uuid4().hex
        while True:
            kept = self.links.get(event_id)
            if kept is None:
                return LinkAnswer(None, "the event is gone")
            if link_of(kept.event) is None or not can_be_renewed(kept.event):
                return LinkAnswer(None, "the provider has no link for it")
            now = int(self.now())
            if kept.renewed is not None and not is_near_end(kept.renewed, now):
                return LinkAnswer(kept.renewed, "got before")
            if kept.next_at <= now:
                if self.links.claim(event_id, owner, now, now + CLAIM_S):
                    return self._ask(kept.event, owner, give_up_at)
            elif not kept.is_asked_for:
                return LinkAnswer(None, "asking for it failed a moment ago")
            if self.now() >= give_up_at:
                return LinkAnswer(None, "another is asking for it", busy=True)
            self.sleep(_LOOK_EVERY_S)

    def _ask(self, event: Event, owner: str, give_up_at: float) -> LinkAnswer:
        provider = self.provider_of(event.account or "")
        if provider is None:
            answer = LinkAnswer(None, "links of this account are not renewed", quiet_s=LONGEST_QUIET_S)
        else:
            answer = self._in_turn(event, provider, give_up_at)
        if answer.link is not None:
            self.links.keep(event.event_id, owner, answer.link)
        else:
            pause_s = 0 if answer.busy else answer.quiet_s or NOT_FOUND_QUIET_S
            self.links.give_up(event.event_id, owner, int(self.now() + pause_s))
        return answer

    def _in_turn(self, event: Event, provider: LinkProvider, give_up_at: float) -> LinkAnswer:
        while True:
            now = self.now()
            now_ms = int(now * 1000)
            turn = self.turns.take(event.account or "", now_ms, now_ms + int(ASK_S * 1000) + SPACING_MS)
            if isinstance(turn, Turn):
                return self._in(turn, event, provider)
            if isinstance(turn, Quiet):
                return LinkAnswer(None, "the provider is left alone", quiet_s=turn.until_ms / 1000 - now)
            if now >= give_up_at:
                return LinkAnswer(None, "others are before it", busy=True)
            self.sleep(_LOOK_EVERY_S)

    def _in(self, turn: Turn, event: Event, provider: LinkProvider) -> LinkAnswer:
        quiet_s: float | None = None
        try:
            answer = self._fresh(event, provider)
        except ProviderError as error:
            if not isinstance(error, ProviderRejected) or not error.plain:
                quiet_s = _quiet_s(error, turn.failures)
            answer = LinkAnswer(None, str(error), quiet_s=quiet_s or 0.0)
        self.turns.give_back(turn, int(self.now() * 1000), quiet_for_s=quiet_s)
        return answer

    def _fresh(self, event: Event, provider: LinkProvider) -> LinkAnswer:
        asked_at = self.now()
        provider.give_up_at = asked_at + ASK_S
        row = provider.attempt(event.exam_id or "", attempt_of(event))
        if row is None or row.result_url is None:
            return LinkAnswer(None, "the provider shows no link for it")
        return LinkAnswer(ResultLink(row.result_url, int(asked_at) + RESULT_LINK_SECONDS), "fresh")


def attempt_of(event: Event) -> AttemptKey:
    """Which attempt an event about a submission is about."""
    envelope = json.loads(event.body)
    return AttemptKey(int(envelope["subject"].rpartition("/")[2]), envelope["data"]["candidate"]["id"])


def _quiet_s(error: ProviderError, failures_before: int) -> float:
    doubled_s = min(FAILED_QUIET_S * float(1 << min(failures_before, 10)), LONGEST_QUIET_S)
    match error:
        case ProviderThrottled(retry_after_s=float(asked_s)):
            return max(asked_s, doubled_s)
        case _:
            return doubled_s
