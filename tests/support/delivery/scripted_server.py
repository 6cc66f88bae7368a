"""An HTTP server on 127.0.0.1 that answers by a script of raw bytes, for tests of HTTP clients.

Each request takes the next step of the script; the last step repeats. A step is either bytes to send, after which the
connection stays open as in HTTP/1.1, or a function that receives the connection and may drip, hang or reset it. The
server closes the connection after a function.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

_LOOK_UP_S = 0.05
"""How often a waiting server looks up whether it is to stop."""


@dataclass(frozen=True)
class Received:
    """One received request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass
class Peer:
    """The server's end of one connection, as a step's function gets it."""

    connection: socket.socket
    stopping: threading.Event

    def send(self, data: bytes) -> None:
        _send(self.connection, data)

    def drip(self, data: bytes, every_s: float = 0.02) -> None:
        """Send ``data`` byte by byte, for as long as the server runs."""
        for place in range(len(data)):
            if self.stopping.wait(every_s):
                return
            self.connection.sendall(data[place : place + 1])

    def hang(self) -> None:
        """Send nothing until the client disconnects or the server stops."""
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                if not self.connection.recv(65_536):
                    return

    def reset(self) -> None:
        """End the connection with a RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Step = bytes | Callable[[Peer], None]


@dataclass
class ScriptedServer:
    """The server as a test sees it."""

    port: int
    steps: list[Step]
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def next_step(self, request: Received) -> Step:
        with self.lock:
            step = self.steps[min(len(self.requests), len(self.steps) - 1)]
            self.requests.append(request)
        return step


def answer(body: bytes | str = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A complete answer; ``Retry_After="3"`` becomes the header ``Retry-After``."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


@contextmanager
def scripted_server(*steps: Step, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """A running server; the server and its threads end with the block."""
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = ScriptedServer(listening.getsockname()[1], list(steps), scheme="https" if tls else "http")
        listening.settimeout(_LOOK_UP_S)
        acceptor = threading.Thread(target=_accept, args=(listening, server, tls, threads))
        acceptor.start()
        try:
            yield server
        finally:
            server.stopping.set()
            acceptor.join()
            for thread in threads:
                thread.join()


def _accept(
    listening: socket.socket, server: ScriptedServer, tls: ssl.SSLContext | None, threads: list[threading.Thread]
) -> None:
    while not server.stopping.is_set():
        with suppress(TimeoutError):
            connection, _ = listening.accept()
            server.connections += 1
            thread = threading.Thread(target=_serve, args=(connection, server, tls))
            threads.append(thread)
            thread.start()


def _serve(connection: socket.socket, server: ScriptedServer, tls: ssl.SSLContext | None) -> None:
    connection.settimeout(_LOOK_UP_S)
    with suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            connection.settimeout(5)
            connection = tls.wrap_socket(connection, server_side=True)
            connection.settimeout(_LOOK_UP_S)
        while (request := _receive(connection, server.stopping)) is not None:
            step = server.next_step(request)
            if not isinstance(step, bytes):
                step(Peer(connection, server.stopping))
                break
            _send(connection, step)
    connection.close()


def _send(connection: socket.socket, data: bytes) -> None:
    """Send all, with a longer timeout than receiving, which regularly checks whether to stop."""
    connection.settimeout(5)
    connection.sendall(data)
    connection.settimeout(_LOOK_UP_S)


def _receive(connection: socket.socket, stopping: threading.Event) -> Received | None:
    """The next request; None when the client went away or the server stops."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = _more(connection, stopping)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        more = _more(connection, stopping)
        if not more:
            return None
        body += more
    return Received(method, target, headers, body)


def _more(connection: socket.socket, stopping: threading.Event) -> bytes:
    while not stopping.is_set():
        with suppress(TimeoutError):
            return connection.recv(65_536)
    return b""
