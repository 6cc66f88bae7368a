"""A proxy in front of a receiver that passes connections on, or breaks them as broken servers do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from urllib.parse import urlsplit

_TIMEOUT_S = 60
_CHUNK_BYTES = 65_536


class Mode(StrEnum):
    """Treatment of new connections; the values complete a sentence about a connection."""

    OPEN = "passes"
    RESET = "is reset"
    SILENT = "is never answered"
    GARBAGE = "gets an answer that is not HTTP"
    LOST_ANSWER = "reaches the receiver, but its answer is lost"
    REDIRECT = "is redirected"


class ReceiverProxy:
    """Listens on 127.0.0.1 and passes connections to a receiver, as ``mode`` says."""

    def __init__(self, target_url: str) -> None:
        parts = urlsplit(target_url)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self.mode = Mode.OPEN
        self.broken = 0
        """Connections in any mode but OPEN."""
        self._stop = threading.Event()

    def serve(self) -> None:
        """Accept connections until ``close``."""
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(connection, self.mode), daemon=True).start()

    def close(self) -> None:
        """Stop accepting connections."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve_one(self, connection: socket.socket, mode: Mode) -> None:
        self.broken += mode is not Mode.OPEN
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_TIMEOUT_S)
            match mode:
                case Mode.OPEN | Mode.LOST_ANSWER:
                    self._pass_on(connection, answers=mode is Mode.OPEN)
                case Mode.RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                case Mode.SILENT:
                    self._stop.wait(_TIMEOUT_S)
                case Mode.GARBAGE:
                    connection.recv(_CHUNK_BYTES)
                    connection.sendall(b"\x00\xff" * 1000 + b"\r\n\r\n")
                case Mode.REDIRECT:
                    connection.recv(_CHUNK_BYTES)
                    connection.sendall(
                        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
                    )

    def _pass_on(self, connection: socket.socket, *, answers: bool) -> None:
        with socket.create_connection(self._target, timeout=_TIMEOUT_S) as receiver:
            threading.Thread(target=_copy, args=(connection, receiver), daemon=True).start()
            if answers:
                _copy(receiver, connection)
            else:
                receiver.recv(1)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(_CHUNK_BYTES):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def running_receiver_proxy(target_url: str) -> Iterator[ReceiverProxy]:
    """Run a proxy in front of a receiver until the ``with`` block ends; its mode is OPEN at first."""
    proxy = ReceiverProxy(target_url)
    thread = threading.Thread(target=proxy.serve, name="receiver-proxy", daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
