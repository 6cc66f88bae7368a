"""HTTP server that verifies and records webhooks, and can respond with errors.

It serves one trusted local sender: one thread per request, at most 1 MiB per body, 10 s per read.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from examhook_cli.listener.body import UnreadableBodyError, read_body
from examhook_cli.listener.verification import Verifier

_READ_TIMEOUT_S = 10.0
_ACCEPTED = 204
_NOT_VERIFIED = 401


@dataclass(frozen=True, slots=True)
class Received:
    """One received request."""

    headers: Mapping[str, str]
    """With names in lower case."""
    body: bytes = field(repr=False)
    problem: str | None
    """Why verification failed; None if it succeeded."""
    at: float
    """Unix seconds."""
    answered: int
    """HTTP status of the response."""

    @property
    def verified(self) -> bool:
        """Whether the signature is valid and recent."""
        return self.problem is None


class Listener:
    """The requests received so far, and the status of the next response."""

    def __init__(
        self, secrets: Sequence[str], now: Callable[[], float], on_received: Callable[[Received], None]
    ) -> None:
        self._verifier = Verifier(secrets)
        self._now = now
        self._on_received = on_received
        self._changed = threading.Condition()
        self._received: list[Received] = []
        self._status = _ACCEPTED
        self._bad_status = _ACCEPTED
        self._bad_requests_left = 0
        self.url = ""
        """URL to send to, set when the server listens."""

    @property
    def received(self) -> list[Received]:
        """Copy of all requests, oldest first."""
        with self._changed:
            return list(self._received)

    def answer_with(self, status: int, *, next_requests: int | None = None) -> None:
        """Respond to verified requests with ``status``, or only to the next ``next_requests`` requests."""
        with self._changed:
            if next_requests is None:
                self._status, self._bad_requests_left = status, 0
            else:
                self._bad_status, self._bad_requests_left = status, next_requests

    def trust(self, secrets: Sequence[str]) -> None:
        """Replace the secrets; raises BadSecretError."""
        verifier = Verifier(secrets)
        with self._changed:
            self._verifier = verifier

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Wait until ``count`` requests are received in total; False after ``timeout_s``."""
        return self.wait_until(lambda received: len(received) >= count, timeout_s)

    def wait_until(self, condition: Callable[[Sequence[Received]], bool], timeout_s: float) -> bool:
        """Wait until the received requests meet ``condition``; False after ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._received), timeout_s)

    def accept(self, headers: Mapping[str, str], body: bytes) -> int:
        """Verify and record a request; returns the HTTP status of the response."""
        with self._changed:
            problem = self._verifier.problem_with(headers, body)
            return self._record(Received(headers, body, problem, self._now(), self._answer_to(problem)))

    def reject(self, headers: Mapping[str, str], status: int, problem: str) -> int:
        """Record a request with an unreadable body; returns the HTTP status of the response."""
        with self._changed:
            return self._record(Received(headers, b"", problem, self._now(), status))

    def _record(self, received: Received) -> int:
        # Callback first, so that everything is printed before a waiting thread continues.
        self._on_received(received)
        self._received.append(received)
        self._changed.notify_all()
        return received.answered

    def _answer_to(self, problem: str | None) -> int:
        if problem is not None:
            return _NOT_VERIFIED
        if self._bad_requests_left > 0:
            self._bad_requests_left -= 1
            return self._bad_status
        return self._status


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _READ_TIMEOUT_S
    server_version = "examhook-listen"
    sys_version = ""

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = read_body(headers, self.rfile)
        except EOFError:
            self.close_connection = True
        except UnreadableBodyError as error:
            # The rest of the body would be parsed as the next request.
            self.close_connection = True
            self._answer(self.server.listener.reject(headers, error.status, error.problem))
        else:
            self._answer(self.server.listener.accept(headers, body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing: ``on_received`` reports each request."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status != _ACCEPTED:  # a 204 must not have a Content-Length
            self.send_header("Content-Length", "0")
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], listener: Listener) -> None:
        self.listener = listener
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore senders that disconnect; print the traceback of any other error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _ignore(_received: Received) -> None:
    pass


@contextmanager
def running_listener(
    secrets: Sequence[str],
    port: int = 0,
    host: str = "127.0.0.1",
    *,
    on_received: Callable[[Received], None] = _ignore,
    now: Callable[[], float] = time.time,
) -> Iterator[Listener]:
    """Run a listener during the block; port 0 selects a free port.

    Calls ``on_received`` for one request at a time, in order. Raises BadSecretError, and OSError for a port in use.
    """
    listener = Listener(secrets, now, on_received)
    with _Server((host, port), listener) as server:
        listener.url = f"http://{host}:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="examhook-listen")
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()
