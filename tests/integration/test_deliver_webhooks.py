"""Deliver with receivers on real sockets: the effect of each answer, and what no message can cause."""

from __future__ import annotations

from email.utils import formatdate

import pytest
import standardwebhooks
import svix

from examhook.delivery.endpoint import EndpointStatus
from examhook.delivery.record import DeliveryStatus, SendOutcome
from examhook.delivery.schedule import CLAIM_TIMEOUT_S, MAX_ATTEMPTS
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.workflows.administration.endpoints import send_endpoint_test
from examhook.workflows.delivering.report import MessageOutcome
from tests.support.delivery.delivery_stack import World
from tests.support.delivery.scripted_server import Peer, answer, scripted_server


def next_attempt(message: DeliveryMessage) -> DeliveryMessage:
    return DeliveryMessage(message.endpoint_id, message.event_id, message.attempt + 1)


def test_the_signature_covers_exactly_the_sent_bytes(world: World) -> None:
    with scripted_server(answer("thanks", "202 Accepted")) as receiver:
        endpoint, secret = world.endpoint(f"{receiver.url}/hook?token=1")
        message = world.delivery(endpoint)
        report = world.deliver(message)
    (request,) = receiver.requests
    assert (request.method, request.target) == ("POST", "/hook?token=1")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == message.event_id
    assert request.body == world.event().body
    assert standardwebhooks.Webhook(secret).verify(request.body, request.headers)["id"] == message.event_id
    svix.Webhook(secret).verify(request.body, request.headers)
    assert report.outcome is MessageOutcome.DELIVERED
    stored = world.stored(message)
    assert (stored.status, stored.attempts, stored.next_attempt_at) == (DeliveryStatus.DELIVERED, 1, None)
    (record,) = stored.attempt_log
    assert (record.http_status, record.answer_excerpt, record.outcome) == (202, "thanks", SendOutcome.ANSWERED)
    assert world.deliveries.waiting(endpoint.endpoint_id, 10) == []


def test_a_retry_has_the_same_id_and_a_new_timestamp(world: World) -> None:
    with scripted_server(answer("oops", "500 Internal Server Error"), answer()) as receiver:
        endpoint, secret = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        world.deliver(message)
        waiting = world.stored(message)
        assert (waiting.status, waiting.next_attempt_at) == (DeliveryStatus.WAITING, world.clock.at + 5)
        # Five seconds are too short for Retry's tick: the message is on the queue already.
        assert world.enqueued() == [(next_attempt(message), 5)]
        world.clock.at += 5
        world.deliver(next_attempt(message))
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 5
    standardwebhooks.Webhook(secret).verify(second.body, second.headers)
    stored = world.stored(message)
    assert stored.status is DeliveryStatus.DELIVERED
    assert [record.http_status for record in stored.attempt_log] == [500, 200]


def test_a_hanging_receiver_costs_only_the_deadline(world: World) -> None:
    with scripted_server(Peer.hang) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        report = world.deliver(message, deadline_s=0.3)
    assert report.outcome is MessageOutcome.RETRY_LATER
    assert world.stored(message).attempt_log[0].outcome is SendOutcome.TIMED_OUT


def test_a_dripping_receiver_costs_only_the_deadline(world: World) -> None:
    with scripted_server(lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000)) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        world.deliver(message, deadline_s=0.3)
    assert world.stored(message).attempt_log[0].outcome is SendOutcome.TIMED_OUT


def test_a_reset_is_retried(world: World) -> None:
    with scripted_server(Peer.reset) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        world.deliver(message)
    record = world.stored(message).attempt_log[0]
    assert (record.outcome, record.http_status) == (SendOutcome.UNREACHABLE, None)


def test_a_redirect_is_a_failure_and_not_followed(world: World) -> None:
    with scripted_server(answer()) as elsewhere:
        moved = answer("", "307 Temporary Redirect", Location=elsewhere.url)
        with scripted_server(moved) as receiver:
            endpoint, _ = world.endpoint(receiver.url)
            message = world.delivery(endpoint)
            report = world.deliver(message)
        assert elsewhere.requests == []
    assert report.outcome is MessageOutcome.RETRY_LATER
    assert "does not follow" in report.reason


def test_410_disables_the_endpoint_notifies_the_operators_once_and_keeps_waiting_deliveries(world: World) -> None:
    with scripted_server(answer("", "410 Gone"), answer("", "410 Gone"), answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        first, second, third = (world.delivery(endpoint, nth) for nth in (1, 2, 3))
        assert world.deliver(first).outcome is MessageOutcome.DISABLED
        assert world.known(endpoint).status is EndpointStatus.DISABLED
        assert "410" in (world.known(endpoint).disabled_reason or "")
        assert world.deliver(second).outcome is MessageOutcome.HELD
        assert world.deliver(third).outcome is MessageOutcome.HELD
        world.retry()
        world.retry()
        assert [notice.event_type for notice in world.operators.notices] == ["endpoint.disabled"]
        assert len(receiver.requests) == 1
        # Nothing is due while it is disabled; once enabled, all of it is.
        world.clock.at += 1000
        assert world.retry().enqueued == 0
        world.endpoints.enable(endpoint.endpoint_id)
        assert world.retry().enqueued == 3


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured_beyond_the_schedule(world: World, *, as_date: bool) -> None:
    at = int(world.clock.at) + 7200
    header = formatdate(at, usegmt=True) if as_date else "7200"
    with scripted_server(answer("", "429 Too Many Requests", Retry_After=header)) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        world.deliver(message)
    stored = world.stored(message)
    assert (stored.next_attempt_at, stored.not_before) == (at, at)
    assert world.enqueued() == []


def test_nothing_is_sent_to_a_private_address(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        report = world.deliver(message, allow_private=False)
    assert receiver.connections == 0
    assert report.outcome is MessageOutcome.RETRY_LATER
    assert world.stored(message).attempt_log[0].outcome is SendOutcome.ADDRESS_REFUSED


def test_a_repeated_message_sends_once(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.DELIVERED
        assert world.deliver(message).outcome is MessageOutcome.DROPPED
    assert len(receiver.requests) == 1


def test_a_message_repeated_during_its_attempt_sends_nothing(world: World) -> None:
    meanwhile: list[MessageOutcome] = []

    def deliver_again(peer: Peer) -> None:
        meanwhile.append(world.deliver(message).outcome)
        peer.send(answer())

    with scripted_server(deliver_again) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.DELIVERED
    assert meanwhile == [MessageOutcome.DROPPED]
    assert len(receiver.requests) == 1


def test_a_crash_between_claim_and_record_is_retried_under_the_same_id(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        # The process that claimed the attempt died before it wrote down what came of it.
        assert world.deliveries.claim(
            message.endpoint_id, message.event_id, 1, until=int(world.clock.at) + CLAIM_TIMEOUT_S
        )
        assert world.deliver(message).outcome is MessageOutcome.DROPPED
        assert world.retry().enqueued == 0
        world.clock.at += CLAIM_TIMEOUT_S
        assert world.retry().enqueued == 1
        assert world.enqueued() == [(next_attempt(message), 0)]
        assert world.deliver(next_attempt(message)).outcome is MessageOutcome.DELIVERED
    assert [request.headers["webhook-id"] for request in receiver.requests] == [message.event_id]


def test_a_crash_in_the_last_attempt_still_gets_an_outcome(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            assert world.deliveries.claim(message.endpoint_id, message.event_id, attempt, until=int(world.clock.at))
        world.retry()
        ((again, _),) = world.enqueued()
        assert world.deliver(again).outcome is MessageOutcome.DELIVERED


def test_after_ten_failures_the_delivery_fails(world: World) -> None:
    with scripted_server(answer("no", "500 Internal Server Error")) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = first = world.delivery(endpoint)
        for _ in range(MAX_ATTEMPTS):
            report = world.deliver(message)
            world.clock.at = float(report.next_attempt_at or world.clock.at)
            message = next_attempt(message)
    assert len(receiver.requests) == MAX_ATTEMPTS
    stored = world.stored(first)
    assert (stored.status, stored.next_attempt_at) == (DeliveryStatus.FAILED, None)
    assert len(stored.attempt_log) == MAX_ATTEMPTS
    assert world.deliveries.waiting(endpoint.endpoint_id, 10) == []


def test_a_delivery_without_an_endpoint_is_cancelled(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        world.endpoints.remove(endpoint.endpoint_id)
        assert world.deliver(message).outcome is MessageOutcome.CANCELLED
    stored = world.stored(message)
    assert (stored.status, stored.cancelled_reason) == (DeliveryStatus.CANCELLED, "its endpoint was removed")
    assert receiver.requests == []


def test_a_message_without_a_delivery_sends_nothing(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        event = world.event()
        report = world.deliver(DeliveryMessage(endpoint.endpoint_id, event.event_id, 1))
    assert report.outcome is MessageOutcome.DROPPED
    assert receiver.requests == []


def test_health_follows_the_attempts_and_rare_failures_do_not_make_an_endpoint_down(world: World) -> None:
    with scripted_server(answer("", "503 Busy"), answer("", "503 Busy"), answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        for nth in (1, 2):
            world.deliver(world.delivery(endpoint, nth))
        failing = world.known(endpoint).health
        assert (failing.consecutive_failures, failing.is_down) == (2, False)
        assert failing.failing_since == world.clock.at
        assert failing.last_error == "answered 503 Service Unavailable"
        world.clock.at += 1
        world.deliver(world.delivery(endpoint, 3))
    health = world.known(endpoint).health
    assert (health.failing_since, health.consecutive_failures) == (None, 0)
    assert health.last_success_at == world.clock.at


def test_a_test_event_is_signed_like_any_event_and_tried_once(world: World) -> None:
    with scripted_server(answer("", "500 Internal Server Error")) as receiver:
        endpoint, secret = world.endpoint(receiver.url)
        event = send_endpoint_test(
            endpoint,
            events=world.events,
            deliveries=world.deliveries,
            queue=world.queue,
            now=world.clock.now,
            retention_days=30,
        )
        ((message, _),) = world.enqueued()
        assert world.deliver(message).outcome is MessageOutcome.FAILED
    (request,) = receiver.requests
    assert standardwebhooks.Webhook(secret).verify(request.body, request.headers)["type"] == "endpoint.test"
    assert world.stored(message).status is DeliveryStatus.FAILED
    assert message.event_id == event.event_id


def test_no_report_or_repr_contains_the_url_the_secret_or_the_answer(world: World) -> None:
    with scripted_server(answer("the-answer", "500 Internal Server Error")) as receiver:
        endpoint, secret = world.endpoint(f"{receiver.url}/hook?token=the-token")
        message = world.delivery(endpoint)
        report = world.deliver(message)
    shown = f"{report!r} {world.known(endpoint)!r} {world.stored(message)!r} {world.key!r}"
    for hidden in ("the-token", "the-answer", secret, "Mei Chen", "made-up-token"):
        assert hidden not in shown
