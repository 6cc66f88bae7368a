"""The HTTP session on real sockets: every misbehavior of a peer ends in time with a typed error."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from examhook.http.client import HttpClient
from examhook.http.errors import (
    BadUrlError,
    BlockedAddressError,
    BrokenResponseError,
    ConnectError,
    DeadlineError,
    HttpError,
    NameLookupError,
)
from examhook.http.response import HttpResponse
from examhook_cli.local.emulator import free_port
from tests.support.delivery.scripted_server import Peer, answer, scripted_server
from tests.support.security.secret_scan import everything_about

SECRET = "s3cr3t-in-the-query"
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def session() -> Iterator[HttpClient]:
    made = HttpClient()
    yield made
    made.close()


def get(session: HttpClient, url: str, deadline_s: float = 5.0, max_body_bytes: int = 1000) -> HttpResponse:
    return session.send("GET", url, deadline_s=deadline_s, max_body_bytes=max_body_bytes, params={"code": SECRET})


def test_returns_status_headers_and_body(session: HttpClient) -> None:
    with scripted_server(answer(b"hello", "418 Teapot", X_Kind="Green")) as server:
        got = get(session, f"{server.url}/tea")
    assert (got.status, got.body, got.headers["x-kind"], got.truncated) == (418, b"hello", "Green", False)
    assert server.requests[0].query == {"code": SECRET}


def test_parameters_are_added_to_those_of_the_url_and_a_fragment_is_not_sent(session: HttpClient) -> None:
    given = {"name": "Zoë & co", "empty": ""}
    with scripted_server(answer()) as server:
        for _ in range(2):
            session.send("GET", f"{server.url}/a b?x=1#end", deadline_s=5, max_body_bytes=10, params=given)
    assert [request.target for request in server.requests] == ["/a%20b?x=1&name=Zo%C3%AB+%26+co&empty="] * 2


@pytest.mark.parametrize(
    "target",
    [
        "/hook/%7Euser?token=a%2Fb%7E",
        "/a/../b/./c//d",
        "/?q=%41%2D%5F",
        "/;p=1?x=(1)&y='z'",
        "/%E2%82%AC",
    ],
)
def test_an_encoded_url_is_sent_unchanged(session: HttpClient, target: str) -> None:
    with scripted_server(answer()) as server:
        session.send("POST", server.url + target, deadline_s=5, max_body_bytes=10)
    assert server.requests[0].target == target


@pytest.mark.parametrize(
    ("given", "sent"),
    [("/a b", "/a%20b"), ("/50%?x=100%", "/50%25?x=100%25"), ("/€?x=€", "/%E2%82%AC?x=%E2%82%AC"), ("?x=1", "/?x=1")],
)
def test_a_url_that_is_not_encoded_is_encoded(session: HttpClient, given: str, sent: str) -> None:
    with scripted_server(answer()) as server:
        session.send("POST", server.url + given, deadline_s=5, max_body_bytes=10)
    assert server.requests[0].target == sent


def test_sends_body_and_headers_as_given(session: HttpClient) -> None:
    with scripted_server(answer()) as server:
        session.send(
            "POST", server.url, deadline_s=5, max_body_bytes=10, data=b"\x00\xff", headers={"User-Agent": "examhook/9"}
        )
    assert server.requests[0].body == b"\x00\xff"
    assert server.requests[0].headers["user-agent"] == "examhook/9"


def test_reuses_the_connection_for_the_next_call(session: HttpClient) -> None:
    with scripted_server(answer(b"one"), answer(b"two")) as server:
        assert [get(session, server.url).body for _ in range(3)] == [b"one", b"two", b"two"]
        assert server.connections == 1


def test_reads_chunked_bodies(session: HttpClient) -> None:
    with scripted_server(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") as server:
        assert get(session, server.url).body == b"abcde"


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda peer: peer.hang(), id="hang"),
        pytest.param(lambda peer: peer.drip(HEAD + b"X: " + b"y" * 10_000), id="drip-in-headers"),
        pytest.param(
            lambda peer: (peer.send(HEAD + b"Content-Length: 900\r\n\r\n"), peer.drip(b"z" * 900)), id="drip-in-body"
        ),
        pytest.param(
            lambda peer: (
                peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
                peer.drip(b"1\r\na\r\n" * 400),
            ),
            id="drip-in-chunks",
        ),
        pytest.param(lambda peer: (peer.send(HEAD + b"Content-Length: 9\r\n\r\n"), peer.hang()), id="hang-in-body"),
        pytest.param(lambda peer: peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), id="endless-continue"),
    ],
)
def test_one_deadline_holds_against_a_slow_peer(session: HttpClient, step: Callable[[Peer], None]) -> None:
    """Only the deadline ends the test: the peer would take 10 s or forever."""
    with scripted_server(step) as server:
        began = time.monotonic()
        with pytest.raises(DeadlineError, match=r"127\.0\.0\.1 did not answer in full within 0\.3 s"):
            get(session, server.url, deadline_s=0.3)
        assert time.monotonic() - began < 5


def test_the_deadline_holds_against_a_peer_that_does_not_read(session: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(DeadlineError):
            session.send("POST", url, deadline_s=0.3, max_body_bytes=10, data=b"x" * 50_000_000)


def test_a_hanging_name_lookup_ends_at_the_deadline(session: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    released = _hanging_lookup(monkeypatch)
    try:
        with pytest.raises(DeadlineError):
            get(session, "http://slow.test/", deadline_s=0.2)
    finally:
        released()


def test_an_unknown_name_is_a_name_lookup_error(session: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(NameLookupError, match=r"nowhere\.test"):
        get(session, "http://nowhere.test/")


def test_a_closed_port_is_a_connect_error(session: HttpClient) -> None:
    with pytest.raises(ConnectError, match=r"Cannot connect to 127\.0\.0\.1"):
        get(session, f"http://127.0.0.1:{free_port()}/")


def test_a_reset_before_the_answer_is_a_connect_error(session: HttpClient) -> None:
    with scripted_server(lambda peer: peer.reset()) as server, pytest.raises(ConnectError):
        get(session, server.url)


def test_a_stale_kept_alive_connection_is_a_connect_error_or_replaced(session: HttpClient) -> None:
    """The peer closes an idle connection just as the next request is sent, so no answer arrives."""
    with scripted_server(answer(b"one"), lambda _: None, answer(b"three")) as server:
        assert get(session, server.url).body == b"one"
        with pytest.raises(ConnectError):
            get(session, server.url)
        assert get(session, server.url).body == b"three"
        assert server.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(HEAD + b"Content-Length: 100\r\n\r\nonly this", id="cut-body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\ncut", id="cut-chunk"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", id="bad-chunk-size"),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", id="not-gzip"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="not-http"),
        pytest.param(HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n", id="endless-header"),
        pytest.param(HEAD + b"X: y\r\n" * 500 + b"\r\n", id="too-many-headers"),
        pytest.param(HEAD + b"Content-Length: 1, 2\r\n\r\nab", id="two-lengths"),
    ],
)
def test_a_broken_answer_is_a_typed_error(session: HttpClient, raw: bytes) -> None:
    with scripted_server(lambda peer: peer.send(raw)) as server, pytest.raises(BrokenResponseError):
        get(session, server.url)


def test_a_reset_within_the_body_is_a_broken_answer(session: HttpClient) -> None:
    def cut(peer: Peer) -> None:
        peer.send(HEAD + b"Content-Length: 100\r\n\r\nonly")
        peer.reset()

    with scripted_server(cut) as server, pytest.raises(BrokenResponseError):
        get(session, server.url)


def test_a_body_of_the_maximum_size_is_complete(session: HttpClient) -> None:
    with scripted_server(answer(b"x" * 1000)) as server:
        got = get(session, server.url)
    assert (len(got.body), got.truncated) == (1000, False)


def test_a_longer_body_is_cut_and_the_connection_is_closed(session: HttpClient) -> None:
    with scripted_server(answer(b"x" * 50_000_000), answer(b"next")) as server:
        got = get(session, server.url)
        assert (got.body, got.truncated) == (b"x" * 1000, True)
        assert get(session, server.url).body == b"next"
        assert server.connections == 2


def test_decompressed_bytes_are_counted(session: HttpClient) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    with scripted_server(answer(bomb, Content_Encoding="gzip")) as server:
        got = get(session, server.url, max_body_bytes=5000)
    assert (got.body, got.truncated) == (b"0" * 5000, True)


def test_a_redirect_is_returned_with_its_body_and_not_followed(session: HttpClient) -> None:
    with scripted_server(answer(b"moved" * 1000, "302 Found", Location="/elsewhere?x")) as server:
        got = get(session, server.url)
    assert (got.status, got.truncated, len(server.requests)) == (302, True, 1)


def test_cookies_and_proxies_of_the_environment_are_ignored(
    session: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "")
    with scripted_server(answer(b"direct", Set_Cookie="PHPSESSID=1; path=/")) as server:
        assert [get(session, server.url).body for _ in range(2)] == [b"direct"] * 2
        assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "nonsense", "http://", "http://[::1", "http://a..b/", ""])
def test_an_invalid_url_is_a_typed_error(session: HttpClient, url: str) -> None:
    with pytest.raises((BadUrlError, NameLookupError)):
        get(session, url)


def test_a_blocked_address_is_never_connected_to() -> None:
    asked: list[str] = []

    def check(address: str) -> None:
        asked.append(address)
        raise BlockedAddressError("127.0.0.1 may not be connected to")

    with scripted_server(answer()) as server, pytest.raises(BlockedAddressError):
        get(HttpClient(check), server.url)
    assert asked == ["127.0.0.1"]
    assert server.connections == 0


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda peer: peer.reset(), id="reset"),
        pytest.param(lambda peer: peer.send(b"nonsense\r\n\r\n"), id="not-http"),
        pytest.param(lambda peer: peer.send(HEAD + b"Content-Length: 9\r\n\r\n1"), id="cut-body"),
        pytest.param(lambda peer: peer.hang(), id="hang"),
        None,
    ],
)
def test_an_error_shows_only_the_host_of_the_url(session: HttpClient, step: Callable[[Peer], None] | None) -> None:
    """Neither the error, its causes nor the frames of the libraries show more; None: nobody listens."""
    with scripted_server(step or answer()) as server:
        url = server.url if step else f"http://127.0.0.1:{free_port()}"
        with pytest.raises(HttpError) as caught:
            session.send("GET", f"{url}/", deadline_s=0.3, max_body_bytes=10, params=Unshown(code=SECRET))
    assert [text for text in everything_about(caught.value) if SECRET in text] == []


class Unshown(dict[str, str]):
    """Parameters that the caller itself does not show."""

    def __repr__(self) -> str:
        return "Unshown(…)"


def _hanging_lookup(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    release = threading.Event()
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *args: object, **kwargs: object) -> object:
        if kwargs.get("flags"):
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        release.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return release.set
