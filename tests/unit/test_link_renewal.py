"""When a result link is renewed, and that nothing else of the event changes."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, Privacy
from examhook.delivery.link_renewal import (
    RENEW_BEFORE_S,
    REPEAT_AFTER_S,
    WAIT_S,
    LinkAction,
    LinkRequest,
    can_be_renewed,
    is_near_end,
    link_action,
    marked_if_expired,
    sees_links,
    with_newest_link,
)
from examhook.events.build import RESULT_LINK_LIFETIME_S, submission_event
from examhook.events.catalogue import EventType
from examhook.events.message import email_for
from examhook.events.result_link import ResultLink, link_of, with_link, without_link
from examhook.storage.item_codec import NUMBER
from examhook.storage.submissions import item_from_submission, submission_from_item
from tests.support.events.event_examples import examples
from tests.support.events.model_values import OBSERVED_AT, attempt, submission, transition

EVENT = submission_event(submission(), transition())
UNTIL = OBSERVED_AT + RESULT_LINK_LIFETIME_S
FRESH = ResultLink("https://provider.test/viewresult/another", UNTIL + 3600)


def test_a_link_is_renewed_from_five_minutes_before_its_expiry() -> None:
    link = ResultLink("x", 10_000)
    assert not is_near_end(link, 10_000 - RENEW_BEFORE_S)
    assert is_near_end(link, 10_000 - RENEW_BEFORE_S + 1)
    assert is_near_end(link, 20_000)


def test_the_link_is_read_back_unchanged() -> None:
    assert link_of(EVENT) == ResultLink("https://provider.test/viewresult/made-up-token", UNTIL)
    assert "made-up-token" not in repr(link_of(EVENT))


@pytest.mark.parametrize("event_type", ["provider.refused", "endpoint.test"])
def test_events_without_a_candidate_have_no_link(event_type: str) -> None:
    assert link_of(examples()[event_type]) is None


@given(
    title=st.text(),
    name=st.one_of(st.none(), st.text()),
    score=st.one_of(st.none(), st.decimals(-1000, 1000, places=3)),
    category=st.one_of(st.none(), st.text()),
)
def test_only_the_link_and_its_expiry_change(
    title: str, name: str | None, score: Decimal | None, category: str | None
) -> None:
    """All other bytes stay, whatever the provider wrote."""
    row = attempt(candidate_name=name)
    event = submission_event(
        submission(attempt=row, exam_title=title, exam_category=category), transition(score_points=score)
    )
    own = link_of(event)
    assert own is not None
    assert with_link(event, own) == event
    renewed = with_link(event, FRESH)
    assert link_of(renewed) == FRESH
    assert with_link(renewed, own) == event
    told, before = json.loads(renewed.body), json.loads(event.body)
    told["data"]["submission"]["result"] = before["data"]["submission"]["result"]
    assert (told, list(told)) == (before, list(before))


def test_an_event_with_an_expired_link_has_no_url_and_states_the_expiry() -> None:
    told, before = json.loads(without_link(EVENT).body), json.loads(EVENT.body)
    assert told["data"]["submission"]["result"] == {"url": None, "expires_at": "2026-05-03T14:33:00Z"}
    told["data"]["submission"]["result"] = before["data"]["submission"]["result"]
    assert told == before
    assert link_of(without_link(EVENT)) is None
    assert "The result" not in email_for(without_link(EVENT)).text


def test_of_two_links_the_one_that_expires_later_is_sent() -> None:
    assert link_of(with_newest_link(EVENT, FRESH)) == FRESH
    assert with_newest_link(EVENT, ResultLink("older", UNTIL)) is EVENT
    assert with_newest_link(EVENT, None) is EVENT


def test_without_a_fresh_link_a_valid_link_stays() -> None:
    assert marked_if_expired(EVENT, UNTIL - 1) is EVENT
    assert marked_if_expired(EVENT, UNTIL) == without_link(EVENT)


def test_a_removed_attempt_gets_no_link() -> None:
    assert [each for each in EventType if not can_be_renewed(examples()[each])] == [EventType.REMOVED]


@pytest.mark.parametrize(
    ("request_", "action"),
    [
        (None, LinkAction.REQUEST),
        (LinkRequest(0, is_open=True), LinkAction.WAIT),
        (LinkRequest(-WAIT_S + 1, is_open=True), LinkAction.WAIT),
        (LinkRequest(-WAIT_S, is_open=True), LinkAction.SEND),
        (LinkRequest(0, is_open=False), LinkAction.SEND),
        (LinkRequest(-REPEAT_AFTER_S + 1, is_open=True), LinkAction.SEND),
        (LinkRequest(-REPEAT_AFTER_S, is_open=True), LinkAction.REQUEST),
        (LinkRequest(-REPEAT_AFTER_S, is_open=False), LinkAction.REQUEST),
    ],
)
def test_an_expired_link_is_requested_once_and_the_wait_is_bounded(
    request_: LinkRequest | None, action: LinkAction
) -> None:
    """Times are in seconds relative to now."""
    now = UNTIL
    known = None if request_ is None else LinkRequest(now + request_.at, is_open=request_.is_open)
    assert link_action(EVENT, known, now) is action
    assert link_action(EVENT, known, UNTIL - RENEW_BEFORE_S) is LinkAction.SEND
    assert link_action(without_link(EVENT), known, now) is LinkAction.SEND
    assert link_action(examples()[EventType.REMOVED], known, now) is LinkAction.SEND


def test_a_renewed_link_can_be_requested_again_near_its_expiry() -> None:
    assert WAIT_S < REPEAT_AFTER_S <= RESULT_LINK_LIFETIME_S - RENEW_BEFORE_S


def test_only_endpoints_with_full_privacy_get_links() -> None:
    seeing = [
        privacy
        for privacy in Privacy
        if sees_links(Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1, privacy=privacy))
    ]
    assert seeing == [Privacy.FULL]


@pytest.mark.parametrize("ahead_s", [-7200, 7200])
def test_an_older_items_expiry_is_converted_to_our_clock(ahead_s: int) -> None:
    item = item_from_submission(submission(observed_at=OBSERVED_AT + ahead_s))
    event = submission_event(submission_from_item({**item, "provider_ahead_s": NUMBER.value(ahead_s)}), transition())
    link = link_of(event)
    assert link is not None
    assert link.expires_at == UNTIL
