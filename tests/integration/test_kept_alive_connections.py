"""Kept-alive connections: a possibly dead one is never reused, and a dead one costs no attempt."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509

from examhook.delivery.record import SendOutcome, SendResult
from examhook.destinations.webhook import WebhookSender
from examhook.http.client import HttpClient
from examhook.http.connections import IDLE_S
from examhook.http.errors import ConnectError, StaleConnectionError
from examhook.workflows.delivering.report import MessageOutcome
from tests.support.delivery.delivery_stack import World
from tests.support.delivery.scripted_server import Peer, ScriptedServer, answer, scripted_server
from tests.support.delivery.tls_identity import identity


class WallClock:
    def __init__(self) -> None:
        self.at = 1_777_818_720.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def session(clock: WallClock) -> Iterator[HttpClient]:
    made = HttpClient(now=clock.now)
    yield made
    made.close()


def get(session: HttpClient, server: ScriptedServer, deadline_s: float = 5.0) -> bytes:
    return session.send("GET", server.url, deadline_s=deadline_s, max_body_bytes=100).body


def sent_by(session: HttpClient, server: ScriptedServer) -> SendResult:
    return WebhookSender(session, allow_http=True, allow_private=True).send(server.url, b"{}", {}, 5.0)


def test_each_connection_ages_by_the_wall_clock_and_on_its_own(session: HttpClient, clock: WallClock) -> None:
    """Traffic to one host does not refresh the connection to another; the monotonic clock stands still."""
    with scripted_server(answer(b"a")) as one, scripted_server(answer(b"b")) as other:
        get(session, one)
        for _ in range(4):
            clock.at += IDLE_S - 1
            get(session, other)
        get(session, one)
        assert (one.connections, other.connections) == (2, 1)


@pytest.mark.parametrize("passed_s", [IDLE_S + 1, 3600.0, -1.0, -3600.0])
def test_a_connection_is_not_reused_after_a_pause_of_unknown_length(
    session: HttpClient, clock: WallClock, passed_s: float
) -> None:
    with scripted_server(answer(b"a")) as server:
        get(session, server)
        clock.at += passed_s
        get(session, server)
        assert server.connections == 2


def test_a_tls_connection_is_not_reused_after_a_pause_of_unknown_length(tmp_path: Path, clock: WallClock) -> None:
    local = identity(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    session = HttpClient(tls=local.trust, now=clock.now)
    with scripted_server(answer(b"a"), tls=local.server) as server:
        for passed_s in (0.0, IDLE_S, IDLE_S + 1):
            clock.at += passed_s
            get(session, server)
        assert server.connections == 2
        session.close()


def test_decrypted_leftover_bytes_are_not_read_as_the_next_answer(tmp_path: Path) -> None:
    """One TLS record contains the answer and a second, unrequested answer."""
    local = identity(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    session = HttpClient(tls=local.trust)
    filler = answer(b"x" * 8_192)
    with scripted_server(filler + answer(b"stale"), answer(b"fresh"), tls=local.server) as server:
        assert session.send("GET", server.url, deadline_s=5, max_body_bytes=9_000).body == b"x" * 8_192
        assert get(session, server) == b"fresh"
        session.close()


def close(_peer: Peer) -> None:
    """The server closes an idle connection just as the next request is sent."""


@pytest.mark.parametrize("breaks", [close, Peer.reset])
def test_a_webhook_is_repeated_once_if_a_reused_connection_breaks(
    session: HttpClient, breaks: Callable[[Peer], None]
) -> None:
    with scripted_server(answer(b"one"), breaks, answer(b"three")) as server:
        results = [sent_by(session, server) for _ in range(2)]
    assert [each.answer_excerpt for each in results] == ["one", "three"]
    assert len(server.requests) == 3


def test_the_repeat_uses_a_new_connection_even_if_others_are_kept(session: HttpClient) -> None:
    """After a restart of the receiver, every kept-alive connection is dead."""
    with scripted_server(answer(b"x")) as server:
        for _ in range(2):
            get(session, server)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(server, "next_step", lambda _request: close)
            with pytest.raises(StaleConnectionError):
                get(session, server)
        session.send("GET", server.url, deadline_s=5, max_body_bytes=10, new_connection=True)
        assert server.connections == 2


def test_there_is_one_repeat_which_counts_as_no_attempt(world: World, session: HttpClient) -> None:
    with scripted_server(answer(), close, close, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        deliver = world.deliver_by(WebhookSender(session, allow_http=True, allow_private=True))
        deliver.process(world.delivery(endpoint, 1))
        message = world.delivery(endpoint, 2)
        assert deliver.process(message).outcome is MessageOutcome.RETRY_LATER
        assert len(receiver.requests) == 3, "one to warm up, one on the old connection, one on a new one"
    stored = world.stored(message)
    assert (stored.attempts, stored.attempt_log[0].outcome) == (1, SendOutcome.UNREACHABLE)


def test_a_new_connection_that_breaks_is_an_attempt_and_not_repeated(session: HttpClient) -> None:
    with scripted_server(close, answer()) as server:
        assert sent_by(session, server).outcome is SendOutcome.UNREACHABLE
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (lambda peer: peer.send(b"HTTP/1.1 "), SendOutcome.BROKEN_RESPONSE),
        (lambda peer: peer.send(b"HTTP/1.1 500 Oh no\r\n"), SendOutcome.BROKEN_RESPONSE),
        (lambda peer: peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n"), SendOutcome.UNREACHABLE),
    ],
    ids=["part of a status line", "status line", "interim answer"],
)
def test_a_reused_connection_that_breaks_within_an_answer_is_an_attempt(
    session: HttpClient, step: Callable[[Peer], None], outcome: SendOutcome
) -> None:
    with scripted_server(answer(), step, answer()) as server:
        results = [sent_by(session, server) for _ in range(2)]
    assert results[1].outcome is outcome
    assert len(server.requests) == 2


def test_a_reused_connection_that_hangs_is_an_attempt(session: HttpClient) -> None:
    with scripted_server(answer(), Peer.hang, answer()) as server:
        sender = WebhookSender(session, allow_http=True, allow_private=True)
        results = [sender.send(server.url, b"{}", {}, deadline_s) for deadline_s in (5.0, 0.3)]
    assert results[1].outcome is SendOutcome.TIMED_OUT
    assert len(server.requests) == 2


def test_a_refused_connection_does_not_count_as_stale(session: HttpClient) -> None:
    with scripted_server(answer()) as server:
        get(session, server)
    with pytest.raises(ConnectError, match="Cannot connect to") as caught:
        get(session, server)
    assert not isinstance(caught.value, StaleConnectionError)
