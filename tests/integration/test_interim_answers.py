"""Only a final answer counts, and only for its own request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from examhook.http.client import HttpClient
from examhook.http.errors import BrokenResponseError, DeadlineError
from examhook.http.response import HttpResponse
from tests.support.delivery.scripted_server import Peer, answer, scripted_server

EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
INTERIM = {
    "102": PROCESSING,
    "103": EARLY_HINTS,
    "199": b"HTTP/1.1 199 Unheard of\r\n\r\n",
    "100 then 103": CONTINUE + EARLY_HINTS,
    "many": (EARLY_HINTS + PROCESSING + CONTINUE) * 20,
    "with a length": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
    "that closes": b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n",
    "with a malformed line": b"HTTP/1.1 103 Early Hints\r\nno header\r\n\r\n",
}


@pytest.fixture
def session() -> Iterator[HttpClient]:
    made = HttpClient()
    yield made
    made.close()


def post(session: HttpClient, url: str, deadline_s: float = 5.0) -> HttpResponse:
    return session.send("POST", url, deadline_s=deadline_s, max_body_bytes=100, data=b"{}")


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
def test_interim_answers_in_the_same_segment_are_skipped(session: HttpClient, interim: bytes) -> None:
    with scripted_server(interim + answer(b"no", "500 Broken"), answer(b"yes")) as server:
        got = [post(session, server.url) for _ in range(2)]
        assert server.connections == 1, "the connection stays usable"
    assert [(each.status, each.body) for each in got] == [(500, b"no"), (200, b"yes")]


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
def test_interim_answers_in_earlier_segments_are_skipped(session: HttpClient, interim: bytes) -> None:
    def in_pieces(peer: Peer) -> None:
        peer.send(interim)
        peer.drip(answer(b"no", "500 Broken"), every_s=0.001)

    with scripted_server(in_pieces) as server:
        assert post(session, server.url).status == 500


def test_no_event_gets_the_answer_to_another(session: HttpClient) -> None:
    """A client that treats the interim answer as final sends its next request too early."""

    def refuse_the_first(peer: Peer) -> None:
        peer.send(EARLY_HINTS)
        with suppress(TimeoutError):
            peer.connection.recv(65_536)
        peer.send(answer(b"no", "500 Broken", Connection="close"))

    with scripted_server(refuse_the_first, answer(b"yes")) as server:
        assert [post(session, server.url).status for _ in range(2)] == [500, 200]


def test_an_interim_answer_alone_is_not_an_answer(session: HttpClient) -> None:
    with scripted_server(EARLY_HINTS) as server, pytest.raises(DeadlineError) as caught:
        post(session, server.url, deadline_s=0.3)
    assert caught.value.response is None


def test_a_switch_of_protocols_ends_the_connection(session: HttpClient) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"
    with scripted_server(switch + b"PRI * HTTP/2.0\r\n\r\n", answer(b"yes")) as server:
        with pytest.raises(BrokenResponseError, match="switched to another protocol"):
            post(session, server.url)
        assert post(session, server.url).status == 200
        assert server.connections == 2


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"], ids=["no content", "not modified"])
def test_a_forbidden_body_is_not_read_as_the_next_answer(session: HttpClient, status: str) -> None:
    late = answer(b"HTTP/1.1 500 Broken\r\n\r\n", status)

    with scripted_server(late, answer(b"yes")) as server:
        assert [post(session, server.url).status for _ in range(2)] == [int(status[:3]), 200]
        assert server.connections == 2


@pytest.mark.parametrize(
    "malformed",
    [b"no header at all", b"Na me: x", b": nameless", b"Caf\xc3\xa9: x", b"broken\r\n and continued"],
    ids=["no colon", "space in the name", "no name", "not ASCII", "continued"],
)
def test_a_malformed_header_line_hides_nothing_after_it(session: HttpClient, malformed: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Before: a\r\n" + malformed + b"\r\nContent-Length: 3\r\nX-After: b\r\n\r\n"
    with scripted_server(head + b"yes") as server:
        got = [post(session, server.url, deadline_s=3) for _ in range(2)]
        assert server.connections == 1, "the length is known, so the connection stays usable"
    assert [(each.body, each.headers["X-Before"], each.headers["X-After"]) for each in got] == [(b"yes", "a", "b")] * 2


def test_a_continued_header_is_read(session: HttpClient) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Long: a\r\n b\r\nContent-Length: 0\r\n\r\n"
    with scripted_server(head) as server:
        assert post(session, server.url).headers["X-Long"].split() == ["a", "b"]


@pytest.mark.parametrize("step", [Peer.hang, Peer.reset], ids=["hangs", "reset"])
def test_the_status_is_known_as_soon_as_its_line_arrives(session: HttpClient, step: Callable[[Peer], None]) -> None:
    def status_line_only(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 202 Accepted\r\nX: ")
        step(peer)

    with scripted_server(status_line_only) as server, pytest.raises((BrokenResponseError, DeadlineError)) as caught:
        post(session, server.url, deadline_s=0.3)
    assert caught.value.response is not None
    assert caught.value.response.status == 202
