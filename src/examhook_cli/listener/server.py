"""A receiver of webhooks on this machine: it verifies, keeps what came, and plays a bad receiver when asked to.

It speaks to one sender that it trusts to be local, so it is bounded but simple: one thread per
request, at most 1 MiB per body, ten seconds per read.
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
    """One request that came."""

    headers: Mapping[str, str]
    """Their names in lower case."""
    body: bytes = field(repr=False)
    problem: str | None
    """Why it is not to be trusted; None when its signature was verified."""
    at: float
    """When it came, in Unix seconds."""
    answered: int
    """The HTTP status that it got."""

    @property
    def verified(self) -> bool:
        """Whether one of the secrets signed it, not long ago."""
        return self.problem is None


class Listener:
    """What has come so far, and how the next request is answered."""

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
        """Where to send to, set once it listens."""

    @property
    def received(self) -> list[Received]:
        """Everything that came, oldest first; a copy."""
        with self._changed:
            return list(self._received)

    def answer_with(self, status: int, *, next_requests: int | None = None) -> None:
        """Answer verified requests with ``status``: from now on, or only the ``next_requests``."""
        with self._changed:
            if next_requests is None:
                self._status, self._bad_requests_left = status, 0
            else:
                self._bad_status, self._bad_requests_left = status, next_requests

    def trust(self, secrets: Sequence[str]) -> None:
        """Verify with these secrets from now on; raises BadSecretError."""
        verifier = Verifier(secrets)
        with self._changed:
            self._verifier = verifier

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Wait until ``count`` requests have come in all; False if they did not within ``timeout_s``."""
        return self.wait_until(lambda received: len(received) >= count, timeout_s)

    def wait_until(self, enough: Callable[[Sequence[Received]], bool], timeout_s: float) -> bool:
        """Wait until ``enough`` says so of what has come; False if it did not within ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(lambda: enough(self._received), timeout_s)

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Verify and keep one request; the HTTP status to answer with."""
        with self._changed:
            problem = self._verifier.problem_with(headers, body)
            return self._keep(Received(headers, body, problem, self._now(), self._answer_to(problem)))

    def refuse(self, headers: Mapping[str, str], status: int, problem: str) -> int:
        """Keep a request whose body cannot be read; the HTTP status to answer with."""
        with self._changed:
            return self._keep(Received(headers, b"", problem, self._now(), status))

    def _keep(self, received: Received) -> int:
        # Reported before waiting threads wake up, so that everything is printed when the waiting ends.
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
            # What is left of the body would be taken for the next request.
            self.close_connection = True
            self._answer(self.server.listener.refuse(headers, error.status, error.problem))
        else:
            self._answer(self.server.listener.take(headers, body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing: what came is told through ``on_received``."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status != _ACCEPTED:  # a 204 has no body, so it may not state a length
            self.send_header("Content-Length", "0")
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], listener: Listener) -> None:
        self.listener = listener
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a sender that hangs up go without a traceback; anything else is a fault of ours, and shown."""
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
    """Listen until the block ends, on ``port`` or any free one; raises BadSecretError, and OSError if it is taken.

    ``on_received`` is called once per request, one at a time, in the order in which they came.
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
