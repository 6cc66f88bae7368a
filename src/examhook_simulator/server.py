"""The simulator's HTTP server on 127.0.0.1: the provider's API, result links and the control endpoint."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer

from examhook_simulator.client import SimulatorControl
from examhook_simulator.connection import LOOPBACK, Connection
from examhook_simulator.control_acts import Simulation
from examhook_simulator.control_api import ControlApi
from examhook_simulator.provider_api import ProviderApi
from examhook_simulator.request_limit import RequestLimit
from examhook_simulator.world import World

DEFAULT_CODE = "simulated-code"
"""Default account code of a simulator."""

REQUESTS_PER_SECOND = 10
"""The provider's default rate limit per account."""

_POLL_FOR_STOP_S = 0.05


class Simulator(ThreadingHTTPServer):
    """Serves a world. Examhook polls ``base_url``; ``control`` changes the world over HTTP.

    Args:
        world: the world to serve.
        port: 0 for a free port.
        code: the valid account code.
        requests_per_second: the rate limit; None for no limit.
        links_url: start of result links, so that answers do not depend on the port; default: ``base_url``.
        elapsed_s: real seconds from any fixed point.
    """

    daemon_threads = False  # server_close waits for the threads of the connections, which stop() ends
    request_queue_size = 64

    def __init__(  # noqa: PLR0913 - independent options with defaults
        self,
        world: World,
        port: int = 0,
        *,
        code: str = DEFAULT_CODE,
        requests_per_second: int | None = REQUESTS_PER_SECOND,
        links_url: str | None = None,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self.stopping = threading.Event()
        super().__init__((LOOPBACK, port), Connection)
        self.world = world
        self.code = code
        self.base_url = f"http://{LOOPBACK}:{self.server_address[1]}"
        self.links_url = self.base_url if links_url is None else links_url.rstrip("/")
        self.api = ProviderApi(world, code, RequestLimit(requests_per_second))
        self.control_api = ControlApi(Simulation(world, self.api))
        self.control = SimulatorControl(self.base_url)
        self._elapsed_s = elapsed_s
        self._began_s = elapsed_s()

    def elapsed_s(self) -> float:
        """Return real seconds since the start."""
        return self._elapsed_s() - self._began_s

    def stop(self) -> None:
        """End all connections and free the port. ``serve_forever`` runs in another thread."""
        self.shutdown()
        with self._open_lock:
            self.stopping.set()
            for connection in self._open:
                _hang_up(connection)
        self.server_close()
        self.control.close()

    def opened(self, connection: socket.socket) -> None:
        """Register a connection, so that ``stop`` can end it."""
        with self._open_lock:
            self._open.add(connection)
            if self.stopping.is_set():
                _hang_up(connection)

    def closed(self, connection: socket.socket) -> None:
        """Unregister a connection."""
        with self._open_lock:
            self._open.discard(connection)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Ignore closed connections and print any other error, which is a defect."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running_simulator(  # noqa: PLR0913 - as Simulator
    world: World,
    port: int = 0,
    *,
    code: str = DEFAULT_CODE,
    requests_per_second: int | None = REQUESTS_PER_SECOND,
    links_url: str | None = None,
    elapsed_s: Callable[[], float] = time.monotonic,
) -> Iterator[Simulator]:
    """Serve ``world`` in a separate thread until the ``with`` block ends; for the arguments see Simulator."""
    simulator = Simulator(
        world,
        port,
        code=code,
        requests_per_second=requests_per_second,
        links_url=links_url,
        elapsed_s=elapsed_s,
    )
    thread = threading.Thread(target=simulator.serve_forever, args=(_POLL_FOR_STOP_S,), name="simulator", daemon=True)
    thread.start()
    try:
        yield simulator
    finally:
        simulator.stop()
        thread.join()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # the peer closed it first
        connection.shutdown(socket.SHUT_RDWR)
