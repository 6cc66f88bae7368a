"""The address guard between the name lookup and the connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import pytest

from examhook.delivery.record import SendOutcome
from examhook.destinations.webhook import WebhookSender, address_check, guarded_client
from examhook.http.client import HttpClient
from examhook.http.errors import BlockedAddressError
from tests.support.delivery.scripted_server import answer, scripted_server

PUBLIC = "1.1.1.1"


class FakeNames:
    """A resolver that answers each lookup of a name with the next list of addresses."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.lookups = 0

    def getaddrinfo(
        self, host: str, port: int, *_positional: object, flags: int = 0, **_named: object
    ) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(host)
        self.lookups += 1
        addresses = self.answers[min(self.lookups, len(self.answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]


@pytest.fixture
def sender() -> Iterator[WebhookSender]:
    session = guarded_client(allow_private=False)
    yield WebhookSender(session, allow_http=True, allow_private=True)
    session.close()


@pytest.mark.parametrize("addresses", [["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC]])
def test_a_name_with_one_private_address_gets_no_connection_at_all(
    sender: WebhookSender, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    with scripted_server(answer()) as inside:
        monkeypatch.setattr("examhook.http.sockets.socket.getaddrinfo", FakeNames(addresses).getaddrinfo)
        result = sender.send(f"http://rebind.example:{inside.port}/", b"{}", {}, 5)
        monkeypatch.undo()
    assert result.outcome is SendOutcome.ADDRESS_REFUSED
    assert inside.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - refused, not bound to
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.53",
        "169.254.169.254",
        "169.254.170.2",
        "172.31.255.254",
        "192.0.0.170",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.251",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_a_name_with_an_internal_address_is_rejected_whatever_its_others(
    sender: WebhookSender, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """No socket is created, neither for this address nor for the public one beside it."""
    monkeypatch.setattr("examhook.http.sockets.DeadlineSocket.connect", None)
    for addresses in ([address], [PUBLIC, address]):
        monkeypatch.setattr("examhook.http.sockets.socket.getaddrinfo", FakeNames(addresses).getaddrinfo)
        result = sender.send("http://hook.example.com/", b"{}", {}, 5)
        assert (result.outcome, result.http_status) == (SendOutcome.ADDRESS_REFUSED, None)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes after the check (DNS rebinding) gets no second lookup."""
    checked: list[str] = []
    names = FakeNames(["127.0.0.1"], ["169.254.169.254"])
    session = HttpClient(checked.append)
    with scripted_server(answer("here")) as receiver:
        monkeypatch.setattr("examhook.http.sockets.socket.getaddrinfo", names.getaddrinfo)
        got = session.send("POST", f"http://rebind.example:{receiver.port}/", deadline_s=5, max_body_bytes=10)
        monkeypatch.undo()
        session.close()
    assert (got.body, names.lookups, checked) == (b"here", 1, ["127.0.0.1"])
    assert receiver.requests[0].headers["host"] == f"rebind.example:{receiver.port}"


@pytest.mark.parametrize("spelled", ["127.1", "2130706433", "0x7f.1", "017700000001", "0"])
def test_the_guard_also_rejects_a_disguised_address(spelled: str) -> None:
    """If one passes the check of URLs, the guard checks the resolved address again."""
    session = HttpClient(address_check(allow_private=False))
    with scripted_server(answer()) as inside, pytest.raises(BlockedAddressError):
        session.send("POST", f"http://{spelled}:{inside.port}/", deadline_s=5, max_body_bytes=10)
    session.close()
    assert inside.connections == 0


def test_a_huge_answer_is_read_only_to_the_limit() -> None:
    session = guarded_client(allow_private=True)
    sender = WebhookSender(session, allow_http=True, allow_private=True)
    with scripted_server(answer(b"x" * 3_000_000)) as receiver:
        result = sender.send(receiver.url, b"{}", {}, 5)
    session.close()
    assert (result.http_status, len(result.answer_excerpt)) == (200, 1024)


def test_a_binary_answer_is_shown_safely() -> None:
    session = guarded_client(allow_private=True)
    sender = WebhookSender(session, allow_http=True, allow_private=True)
    with scripted_server(answer(b"ok\x00\x1b[31m\xff\xfe\nend")) as receiver:
        result = sender.send(receiver.url, b"{}", {}, 5)
    session.close()
    assert result.answer_excerpt == "ok\ufffd\ufffd[31m\ufffd\ufffd\nend"
