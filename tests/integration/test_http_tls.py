"""TLS under the same deadline: which certificates are trusted, and a peer that delays the handshake."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509

from examhook.http.client import HttpClient
from examhook.http.errors import CertificateError, ConnectError, DeadlineError, TlsError
from tests.support.delivery.scripted_server import answer, scripted_server
from tests.support.delivery.tls_identity import Identity, chained, identity

_LOCALHOST = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


@pytest.fixture
def local(tmp_path: Path) -> Identity:
    return identity(tmp_path, _LOCALHOST)


def session(identity: Identity) -> HttpClient:
    return HttpClient(tls=identity.trust)


def test_requests_to_a_trusted_peer_use_one_connection(local: Identity) -> None:
    with scripted_server(answer(b"safe"), tls=local.server) as server:
        trusting = session(local)
        for _ in range(2):
            assert trusting.send("GET", server.url, deadline_s=5, max_body_bytes=10).body == b"safe"
        assert server.connections == 1
        trusting.close()


def test_a_peer_with_an_untrusted_certificate_is_rejected(local: Identity) -> None:
    with (
        scripted_server(answer(b"x"), tls=local.server) as server,
        pytest.raises(TlsError, match=r"The certificate of 127\.0\.0\.1 cannot be trusted: self-signed certificate"),
    ):
        HttpClient().send("GET", server.url, deadline_s=5, max_body_bytes=10)
    assert server.requests == []


def test_a_missing_intermediate_certificate_is_named_in_the_error(tmp_path: Path) -> None:
    """Browsers download it automatically, so the server's operator does not notice."""
    half = chained(tmp_path, _LOCALHOST, complete=False)
    with scripted_server(answer(b"x"), tls=half.server) as server, pytest.raises(CertificateError) as caught:
        session(half).send("GET", server.url, deadline_s=5, max_body_bytes=10)
    assert "must send its intermediate certificate" in str(caught.value)
    assert server.requests == []
    whole = chained(tmp_path, _LOCALHOST, complete=True)
    with scripted_server(answer(b"safe"), tls=whole.server) as server:
        trusting = session(whole)
        assert trusting.send("GET", server.url, deadline_s=5, max_body_bytes=10).body == b"safe"
        trusting.close()


def test_the_error_about_an_expired_certificate_asks_its_operator_to_renew_it(tmp_path: Path) -> None:
    expired = identity(tmp_path, _LOCALHOST, valid_until=dt.timedelta(days=-1))
    with (
        scripted_server(answer(b"x"), tls=expired.server) as server,
        pytest.raises(CertificateError, match="renew it"),
    ):
        session(expired).send("GET", server.url, deadline_s=5, max_body_bytes=10)


def test_a_certificate_for_another_name_is_rejected(tmp_path: Path) -> None:
    other = identity(tmp_path, x509.DNSName("elsewhere.test"))
    with scripted_server(answer(b"x"), tls=other.server) as server, pytest.raises(TlsError) as caught:
        session(other).send("GET", server.url, deadline_s=5, max_body_bytes=10)
    assert not isinstance(caught.value, CertificateError)
    assert server.requests == []


def test_the_name_is_verified_although_the_connection_is_to_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One lookup and one check of its addresses; TLS and Host use the name."""
    named = identity(tmp_path, x509.DNSName("hooks.test"))
    looked_up: list[str] = []
    checked: list[str] = []

    def lookup(host: str, port: int, **kwargs: object) -> list[object]:
        if kwargs.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with scripted_server(answer(b"safe"), tls=named.server) as server:
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        guarded = HttpClient(checked.append, named.trust)
        guarded.send("GET", f"https://hooks.test:{server.port}/", deadline_s=5, max_body_bytes=10)
        guarded.close()
        assert server.requests[0].headers["host"] == f"hooks.test:{server.port}"
    assert (looked_up, checked) == (["hooks.test"], ["127.0.0.1"])


@pytest.mark.parametrize("drips", [False, True])
def test_the_deadline_holds_within_the_handshake(local: Identity, *, drips: bool) -> None:
    with _handshake_never_ending(drips=drips) as port, pytest.raises(DeadlineError):
        session(local).send("GET", f"https://127.0.0.1:{port}/", deadline_s=0.4, max_body_bytes=10)


def test_the_deadline_holds_against_a_body_that_drips(local: Identity) -> None:
    with (
        scripted_server(
            lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900), tls=local.server
        ) as server,
        pytest.raises(DeadlineError),
    ):
        session(local).send("GET", server.url, deadline_s=0.5, max_body_bytes=1000)


def test_an_outdated_tls_version_is_named_in_the_error(local: Identity) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        local.server.minimum_version = ssl.TLSVersion.TLSv1
        local.server.maximum_version = ssl.TLSVersion.TLSv1_1
    local.server.set_ciphers("DEFAULT@SECLEVEL=0")
    with (
        scripted_server(answer(b"x"), tls=local.server) as server,
        pytest.raises(TlsError, match=r"supports only TLS versions before 1\.2"),
    ):
        session(local).send("GET", server.url, deadline_s=5, max_body_bytes=10)


def test_plain_http_is_named_in_the_error(local: Identity) -> None:
    with (
        _saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port,
        pytest.raises(TlsError, match="does not use TLS on this port"),
    ):
        session(local).send("GET", f"https://127.0.0.1:{port}/", deadline_s=5, max_body_bytes=10)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["plain-http", "hangs-up"])
def test_a_peer_without_tls_is_named_in_the_error(local: Identity, said: bytes) -> None:
    with _saying(said) as port, pytest.raises((TlsError, ConnectError)):
        session(local).send("GET", f"https://127.0.0.1:{port}/", deadline_s=5, max_body_bytes=10)


@contextmanager
def _handshake_never_ending(*, drips: bool) -> Iterator[int]:
    """A peer that accepts the connection, and then sends nothing or a TLS record byte by byte."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                # A handshake record of 16,000 bytes, of which one comes every 20 ms.
                for byte in b"\x16\x03\x03\x3e\x80" + b"\x02" * 16_000:
                    if stop.wait(0.02):
                        return
                    if drips:
                        connection.sendall(bytes([byte]))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stop.set()
            thread.join()


@contextmanager
def _saying(said: bytes) -> Iterator[int]:
    """A peer that answers the first bytes with ``said`` and disconnects."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join()
