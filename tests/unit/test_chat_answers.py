"""The documented answers of each chat, and their effect on a delivery."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from examhook.delivery.decision import Decision, Delivered, DisableEndpoint, Retry, decide, reason_of
from examhook.delivery.endpoint import BodyFormat
from examhook.delivery.record import SendOutcome, SendResult

NOW = 1_777_818_720
SLACK, TEAMS, DISCORD = BodyFormat.SLACK, BodyFormat.TEAMS, BodyFormat.DISCORD
CHATS = (SLACK, TEAMS, DISCORD)


def decided(body_format: BodyFormat, status: int, body: str = "", retry_after: str | None = None) -> Decision:
    result = SendResult(SendOutcome.ANSWERED, status, 12, body, retry_after)
    return decide(result, 1, NOW, random.Random(0), body_format=body_format)


def discord_error(code: int) -> str:
    return json.dumps({"message": "Unknown Webhook", "code": code})


@pytest.mark.parametrize(
    ("body_format", "status", "body"),
    [(SLACK, 200, "ok"), (TEAMS, 202, ""), (DISCORD, 204, ""), (DISCORD, 200, '{"id": "1"}')],
)
def test_each_chats_answer_to_an_accepted_message_is_a_success(body_format: BodyFormat, status: int, body: str) -> None:
    assert isinstance(decided(body_format, status, body), Delivered)


@pytest.mark.parametrize(
    ("body_format", "status", "body"),
    [
        (SLACK, 404, "no_service"),
        (SLACK, 410, "no_service"),
        (SLACK, 403, "no_active_hooks\n"),
        (SLACK, 404, "channel_not_found"),
        (SLACK, 410, "channel_is_archived"),
        (DISCORD, 404, discord_error(10015)),
        (DISCORD, 401, discord_error(50027)),
        (TEAMS, 404, '{"error": {"code": "WorkflowNotFound", "message": "The workflow could not be found."}}'),
    ],
)
def test_a_deleted_chat_webhook_disables_its_endpoint_and_says_what_to_do(
    body_format: BodyFormat, status: int, body: str
) -> None:
    decision = decided(body_format, status, body)
    assert isinstance(decision, DisableEndpoint)
    assert "create a new webhook" in decision.reason
    assert body.strip() not in decision.reason


@pytest.mark.parametrize(
    ("body_format", "status", "body"),
    [
        (SLACK, 404, "<html>no_service</html>"),
        (SLACK, 500, "no_service"),
        (SLACK, 400, "invalid_payload"),
        (SLACK, 403, "action_prohibited"),
        (DISCORD, 404, ""),
        (DISCORD, 400, discord_error(50006)),
        (DISCORD, 404, '{"code": "10015"}'),
        (TEAMS, 401, '{"error": {"code": "DirectApiAuthorizationRequired"}}'),
        (TEAMS, 404, "[]"),
    ],
)
def test_any_other_rejection_is_retried(body_format: BodyFormat, status: int, body: str) -> None:
    assert isinstance(decided(body_format, status, body), Retry)


@pytest.mark.parametrize("body", ["no_service", discord_error(10015)])
def test_only_the_status_of_an_event_receiver_counts(body: str) -> None:
    decision = decided(BodyFormat.CLOUDEVENTS, 404, body)
    assert decision == Retry("answered 404 Not Found", NOW + 5)


@pytest.mark.parametrize("body_format", CHATS)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_chats_rejection_does_not_mention_signatures(body_format: BodyFormat, status: int) -> None:
    reason = decided(body_format, status).reason
    assert "check the endpoint's URL and format" in reason
    assert "secret" not in reason


@pytest.mark.parametrize(
    ("body", "header", "wait_s"),
    [
        ('{"message": "You are being rate limited.", "retry_after": 64.57, "global": false}', "65", 65),
        ('{"retry_after": 64.57}', None, 65),
        ('{"retry_after": 90}', None, 90),
        ("", "64.57", 65),
        ('{"retry_after": true}', "soon", None),
        ('{"retry_after": -1}', None, None),
        ('{"retry_after": NaN}', None, None),
        (json.dumps({"retry_after": 10**400}), None, 86_400),
        ("", "inf", None),
    ],
)
def test_discords_requested_pause_is_kept(body: str, header: str | None, wait_s: int | None) -> None:
    decision = decided(DISCORD, 429, body, header)
    assert isinstance(decision, Retry)
    assert decision.not_before == (None if wait_s is None else NOW + wait_s)


def test_slacks_requested_pause_is_kept() -> None:
    decision = decided(SLACK, 429, "rate_limited", "30")
    assert isinstance(decision, Retry)
    assert decision.at == NOW + 30


@given(body=st.text(max_size=200), status=st.integers(100, 999), header=st.none() | st.text(max_size=20))
@example(body="[" * 1024, status=404, header=None)
@example(body='{"a":' * 200, status=429, header="1e400")
@pytest.mark.parametrize("body_format", CHATS)
def test_no_answer_can_break_a_delivery(body_format: BodyFormat, body: str, status: int, header: str | None) -> None:
    decision = decided(body_format, status, body, header)
    assert decision.reason.startswith(f"answered {status}")
    assert reason_of(SendResult(SendOutcome.TIMED_OUT, None, 1), body_format)
