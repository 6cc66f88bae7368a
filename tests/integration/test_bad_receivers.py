"""Receivers at their worst, on real sockets: what each costs, what is made of it, and that it is tried again."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import ssl
import threading
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from cryptography import x509

from examhook.delivery.record import DeliveryStatus, SendOutcome
from examhook.destinations.webhook import MAX_RESPONSE_BYTES, WebhookSender, address_check, guarded_client
from examhook.http.client import HttpClient
from examhook.workflows.delivering.report import MessageOutcome
from tests.support.delivery.delivery_stack import DAY_S, World
from tests.support.delivery.scripted_server import Peer, answer, scripted_server
from tests.support.delivery.tls_identity import identity


def drip_forever(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 500 Broken\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000, every_s=1.0)


@pytest.mark.parametrize("step", [Peer.hang, drip_forever], ids=["hangs", "drips a byte a second"])
def test_what_takes_too_long_ends_with_the_deadline_and_is_tried_again(
    world: World, step: Callable[[Peer], None]
) -> None:
    with scripted_server(step, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message, deadline_s=1.3).outcome is MessageOutcome.RETRY_LATER
        record = world.stored(message).attempt_log[0]
        assert record.outcome is SendOutcome.TIMED_OUT
        assert "within 1.3 s" in record.reason
        ((again, _),) = world.enqueued()
        assert world.deliver(again).outcome is MessageOutcome.DELIVERED
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


def test_a_success_that_comes_late_is_none_and_the_repeat_has_the_same_id(world: World) -> None:
    given_up = threading.Event()

    def late(peer: Peer) -> None:
        given_up.wait(10)
        peer.send(answer())

    with scripted_server(late, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message, deadline_s=0.3).outcome is MessageOutcome.RETRY_LATER
        given_up.set()
        ((again, _),) = world.enqueued()
        assert world.deliver(again).outcome is MessageOutcome.DELIVERED
    assert [request.headers["webhook-id"] for request in receiver.requests] == [message.event_id] * 2
    assert [each.http_status for each in world.stored(message).attempt_log] == [None, 200]


def test_a_success_whose_body_never_ends_is_one(world: World) -> None:
    def drip(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        peer.drip(b"x" * 100_000, every_s=1.0)

    with scripted_server(drip) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message, deadline_s=0.3).outcome is MessageOutcome.DELIVERED
    assert world.stored(message).attempt_log[0].outcome is SendOutcome.TIMED_OUT


def test_an_answer_of_30_megabytes_is_taken_and_hardly_read(world: World) -> None:
    sent = 0

    def flood(peer: Peer) -> None:
        nonlocal sent
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n")
        chunk = b"x" * 100_000
        for _ in range(300):
            peer.send(chunk)
            sent += len(chunk)

    with scripted_server(flood) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.DELIVERED
    # What the kernels' buffers held, and not the rest.
    assert sent < 20_000_000
    assert world.stored(message).attempt_log[0].answer_excerpt == "x" * 1024


def test_a_gzip_bomb_is_unpacked_no_further_than_the_limit(world: World) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) > MAX_RESPONSE_BYTES, "more than is read at once"
    with scripted_server(answer(bomb, Content_Encoding="gzip")) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.DELIVERED
    assert world.stored(message).attempt_log[0].answer_excerpt == "0" * 1024


HEAD = b"HTTP/1.1 %s\r\n"
AFTER_THE_STATUS_LINE: dict[str, tuple[bytes, str]] = {
    "plain text called gzip": (b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfine", "incomplete or malformed"),
    "short body": (b"Content-Length: 100\r\n\r\nonly this", "incomplete or malformed"),
    "cut chunk": (b"Transfer-Encoding: chunked\r\n\r\n9\r\ncut", "incomplete or malformed"),
    "no last chunk": (b"Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n", "incomplete or malformed"),
    "bad chunk size": (b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", "incomplete or malformed"),
    "two lengths": (b"Content-Length: 1, 2\r\n\r\nab", "incomplete or malformed"),
    "too many headers": (b"X: y\r\n" * 101 + b"Content-Length: 0\r\n\r\n", "more than 100 headers"),
    "endless header": (b"X: " + b"y" * 100_000 + b"\r\n\r\n", "a header line of more than 64 KiB"),
    "nothing": (b"", "incomplete or malformed"),
}
BROKEN = pytest.mark.parametrize(("rest", "says"), AFTER_THE_STATUS_LINE.values(), ids=AFTER_THE_STATUS_LINE)


@BROKEN
@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_a_status_line_of_success_is_a_delivery_whatever_follows(
    world: World, status: str, rest: bytes, says: str
) -> None:
    with scripted_server(lambda peer: peer.send(HEAD % status.encode() + rest)) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.DELIVERED
    assert len(receiver.requests) == 1
    record = world.stored(message).attempt_log[0]
    assert record.http_status == int(status[:3])
    # A 204 has no body that could be broken.
    assert says in record.reason or (status.startswith("204") and record.reason == "answered 204 No Content")


@BROKEN
def test_a_broken_answer_of_another_status_is_tried_again_and_its_status_shown(
    world: World, rest: bytes, says: str
) -> None:
    with scripted_server(lambda peer: peer.send(HEAD % b"500 Oh no" + rest)) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.RETRY_LATER
    record = world.stored(message).attempt_log[0]
    assert (record.outcome, record.http_status) == (SendOutcome.BROKEN_RESPONSE, 500)
    assert record.reason.startswith("answered 500 Internal Server Error (")
    assert says in record.reason


def test_what_came_of_a_broken_body_is_kept_and_its_wish_to_wait_obeyed(world: World) -> None:
    raw = HEAD % b"503 Busy" + b"Retry-After: 120\r\nContent-Length: 100\r\n\r\ndatabase is down"
    with scripted_server(lambda peer: peer.send(raw)) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        world.deliver(message)
    stored = world.stored(message)
    assert stored.attempt_log[0].answer_excerpt == "database is down"
    assert stored.next_attempt_at == int(world.clock.at) + 120
    assert world.known(endpoint).rate_limit(world.clock.at) is not None, "503 slows it down"


@pytest.mark.parametrize(
    "step",
    [
        lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.6\r\n"),
        lambda peer: peer.send(b"HTTP/2.0 200 OK\r\n\r\n"),
        lambda peer: peer.send(b"HTTP/1.1 20"),
    ],
    ids=["not HTTP", "another version", "half a status line"],
)
def test_what_is_no_status_line_is_no_delivery(world: World, step: Callable[[Peer], None]) -> None:
    with scripted_server(step) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.RETRY_LATER
    record = world.stored(message).attempt_log[0]
    assert (record.outcome, record.http_status) == (SendOutcome.BROKEN_RESPONSE, None)


def test_no_compression_is_asked_for(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        world.deliver(world.delivery(endpoint))
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


def test_a_receiver_that_flaps_is_never_down_and_gets_everything_once_more_than_it_failed(world: World) -> None:
    busy = answer("", "500 Internal Server Error")
    with scripted_server(*[busy, answer()] * 8) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        messages = [world.delivery(endpoint, nth) for nth in range(1, 9)]
        for message in messages:
            world.clock.at += 1
            world.deliver(message)
            assert not world.known(endpoint).health.is_down
        for _ in range(8):
            for message, _ in world.enqueued():
                world.deliver(message)
            world.clock.at += 3 * 3600
            world.retry()
    assert {world.stored(message).status for message in messages} == {DeliveryStatus.DELIVERED}
    taken = [request.headers["webhook-id"] for request in receiver.requests]
    assert all(taken.count(message.event_id) == world.stored(message).attempts for message in messages)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120),
        ("0", None),
        ("3", None),
        ("86400", DAY_S),
        ("999999999999", DAY_S),
        ("1" * 5000, DAY_S),
        ("in 2 hours", 7200),
        ("90 days ahead", DAY_S),
        ("an hour ago", None),
        ("-120", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Mon, 99 Nov 2026 99:99:99 GMT", None),
        ("\u0661\u0662\u0660", None),
    ],
)
def test_429_with_every_form_of_retry_after(world: World, header: str, wait_s: int | None) -> None:
    now = int(world.clock.at)
    dates = {"in 2 hours": now + 7200, "90 days ahead": now + 90 * DAY_S, "an hour ago": now - 3600}
    sent = formatdate(dates[header], usegmt=True) if header in dates else header
    raw = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: " + sent.encode() + b"\r\n\r\n"
    with scripted_server(raw) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        assert world.deliver(message).outcome is MessageOutcome.RETRY_LATER
    # Five seconds is the schedule's own.
    assert world.stored(message).next_attempt_at == now + (wait_s or 5)


@pytest.mark.parametrize(
    ("name", "valid_for", "trusted", "says"),
    [
        ("127.0.0.1", dt.timedelta(days=1), False, "self-signed"),
        ("127.0.0.1", -dt.timedelta(days=1), True, "expired"),
        ("127.0.0.2", dt.timedelta(days=1), True, "127.0.0.1"),
    ],
    ids=["signed by itself", "expired", "for another name"],
)
def test_a_bad_certificate_gets_nothing_and_is_told(  # noqa: PLR0913, PLR0917 - what is wrong with it
    world: World,
    tmp_path: Path,
    name: str,
    valid_for: dt.timedelta,
    trusted: bool,  # noqa: FBT001
    says: str,
) -> None:
    shown = identity(tmp_path, x509.IPAddress(ipaddress.ip_address(name)), valid_for)
    trust = shown.trust if trusted else ssl.create_default_context()
    session = HttpClient(address_check(allow_private=True), trust)
    with scripted_server(answer(), tls=shown.server) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        sender = WebhookSender(session, allow_http=False, allow_private=True)
        report = world.deliver_by(sender).process(message)
        session.close()
    assert (report.outcome, receiver.requests) == (MessageOutcome.RETRY_LATER, [])
    record = world.stored(message).attempt_log[0]
    assert record.outcome is SendOutcome.TLS_FAILED
    assert says in record.reason


@pytest.mark.parametrize(
    "inside",
    [
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://localhost:9001/",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://169.254.170.2/v2/credentials",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1/",
        "http://2130706433/",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "https://example.com/",
    ],
)
@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
def test_a_redirect_to_the_inside_or_anywhere_leads_nowhere(world: World, inside: str, status: str) -> None:
    connected: list[str] = []

    def note(ip: str) -> None:
        connected.append(ip)

    session = HttpClient(note)
    with scripted_server(answer("", status, Location=inside)) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        sender = WebhookSender(session, allow_http=True, allow_private=True)
        assert world.deliver_by(sender).process(message).outcome is MessageOutcome.RETRY_LATER
        session.close()
    assert connected == ["127.0.0.1"], "the receiver itself, and nothing else"
    assert len(receiver.requests) == 1


def test_a_receiver_that_is_down_for_good_costs_nothing_but_a_probe_a_minute(world: World) -> None:
    """Nothing listens; a day later it is there, and gets what waited."""
    with scripted_server(answer()) as receiver:
        url = receiver.url
    session = guarded_client(allow_private=True)
    endpoint, _ = world.endpoint(url)
    messages = [world.delivery(endpoint, nth) for nth in range(1, 6)]
    outcomes = [world.deliver(message).outcome for message in messages]
    assert outcomes == [MessageOutcome.RETRY_LATER] * 4 + [MessageOutcome.HELD]
    assert world.stored(messages[0]).attempt_log[0].outcome is SendOutcome.UNREACHABLE
    session.close()
