"""The listener on real sockets: it records requests, responds as configured, and withstands bad senders."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from standardwebhooks import Webhook

from examhook_cli.listener.server import Listener, Received, running_listener

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
LATER = "whsec_" + base64.b64encode(b"l" * 32).decode()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with running_listener([SECRET]) as listener:
        yield listener


def send(listener: Listener, body: str = '{"type":"t"}', secret: str = SECRET, event_id: str = "evt_1") -> int:
    headers = signed(body, secret, event_id)
    return requests.post(listener.url, data=body.encode(), headers=headers, timeout=5).status_code


def signed(body: str, secret: str = SECRET, event_id: str = "evt_1") -> dict[str, str]:
    at = datetime.now(UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, at, body),
    }


def test_a_signed_request_is_accepted_and_recorded(listener: Listener) -> None:
    assert send(listener, '{"type":"é"}') == 204
    (received,) = listener.received
    assert (received.body.decode(), received.verified, received.answered) == ('{"type":"é"}', True, 204)
    assert received.headers["webhook-id"] == "evt_1"


def test_a_wrong_signature_gets_401_and_is_recorded_with_the_reason(listener: Listener) -> None:
    assert send(listener, secret=LATER) == 401
    (received,) = listener.received
    assert (received.verified, received.problem) == (False, "the signature does not match")


def test_a_bad_receiver_fails_the_next_requests_and_then_recovers(listener: Listener) -> None:
    listener.answer_with(503, next_requests=2)
    assert [send(listener) for _ in range(3)] == [503, 503, 204]


def test_a_status_lasts_until_the_next_change(listener: Listener) -> None:
    listener.answer_with(500)
    assert [send(listener), send(listener)] == [500, 500]
    listener.answer_with(204)
    assert send(listener) == 204


def test_secrets_can_be_changed_while_it_listens(listener: Listener) -> None:
    listener.trust([LATER])
    assert (send(listener), send(listener, secret=LATER)) == (401, 204)


def test_waiting_ends_after_enough_requests(listener: Listener) -> None:
    sender = threading.Thread(target=lambda: [send(listener, event_id=f"evt_{n}") for n in range(3)])
    sender.start()
    assert listener.wait_for(3, timeout_s=10)
    sender.join()
    assert [received.headers["webhook-id"] for received in listener.received] == ["evt_0", "evt_1", "evt_2"]


def test_waiting_times_out(listener: Listener) -> None:
    assert not listener.wait_for(1, timeout_s=0.01)


def test_each_request_is_reported_once_and_in_order() -> None:
    told: list[Received] = []
    with running_listener([SECRET], on_received=told.append, now=lambda: 7.0) as listener:
        for number in range(5):
            send(listener, event_id=f"evt_{number}")
        assert told == listener.received
    assert [received.at for received in told] == [7.0] * 5


BAD = {
    "no number": (b"Content-Length: -1\r\n\r\n", b"400", "its Content-Length is not a number"),
    "too long": (b"Content-Length: 1048577\r\n\r\n", b"413", "its body is longer than 1 MiB"),
    "too long in chunks": (b"Transfer-Encoding: chunked\r\n\r\n100001\r\n", b"413", "its body is longer than 1 MiB"),
    "no chunk size": (b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", b"400", "a chunk has no size"),
    "longer chunk": (b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", b"400", "a chunk is longer than it says"),
    "another coding": (b"Transfer-Encoding: gzip\r\n\r\n", b"501", "its Transfer-Encoding is not chunked"),
    "no body": (b"\r\n", b"401", "it is not signed"),
}


@pytest.mark.parametrize(("rest", "status", "problem"), BAD.values(), ids=BAD)
def test_an_unreadable_body_is_answered_and_recorded(
    listener: Listener, rest: bytes, status: bytes, problem: str
) -> None:
    assert exchange(listener, b"POST / HTTP/1.1\r\nHost: x\r\n" + rest).split()[1] == status
    assert [(each.problem, each.answered) for each in listener.received] == [(problem, int(status))]


def test_a_request_other_than_post_is_answered_and_not_recorded(listener: Listener) -> None:
    assert exchange(listener, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").split()[1] == b"501"
    assert listener.received == []


@pytest.mark.parametrize("pieces", [1, 2, 7, 1000], ids=["bytes", "pairs", "sevens", "one chunk"])
def test_a_chunked_body_is_verified_like_one_with_a_length(listener: Listener, pieces: int) -> None:
    """Cloudflare Tunnel and other proxies send no Content-Length."""
    body = '{"type":"t"}'
    parts = [body[at : at + pieces].encode() for at in range(0, len(body), pieces)]
    assert requests.post(listener.url, data=iter(parts), headers=signed(body), timeout=5).status_code == 204
    assert [(each.verified, each.body) for each in listener.received] == [(True, body.encode())]


def test_extensions_and_trailers_of_chunks_are_skipped(listener: Listener) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in signed("ab").items())
    chunks = "1;name=value\r\na\r\n01 \r\nb\r\n0\r\nTrailer: x\r\n\r\n"
    request = f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n{head}\r\n{chunks}"
    assert exchange(listener, request.encode()).split()[1] == b"204"
    assert listener.received[0].body == b"ab"


def exchange(listener: Listener, request: bytes) -> bytes:
    """The first bytes of the answer to the raw ``request``."""
    port = int(listener.url.rsplit(":", 1)[1].strip("/"))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(4096)


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 100\r\n\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["length", "chunk", "no chunk"],
)
def test_a_sender_that_disconnects_within_its_body_is_not_recorded(
    listener: Listener, capsys: pytest.CaptureFixture[str], rest: bytes
) -> None:
    port = int(listener.url.rsplit(":", 1)[1].strip("/"))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + rest)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(4096) == b""
    assert send(listener) == 204
    assert len(listener.received) == 1
    assert capsys.readouterr() == ("", "")


def test_the_body_and_the_secret_stay_out_of_the_repr(listener: Listener) -> None:
    send(listener, '{"name":"Mei"}')
    assert "Mei" not in repr(listener.received)
