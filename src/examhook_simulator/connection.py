"""One connection to the simulator: it reads requests and sends answers, or ends as a quirk says."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from examhook_simulator.bodies import PLAIN_TYPE
from examhook_simulator.control_api import CONTROL_PREFIX, ControlReply
from examhook_simulator.provider_api import Fate, Reply
from examhook_simulator.v1_api import V1_PATH

if TYPE_CHECKING:
    from examhook_simulator.server import Simulator

LOOPBACK = "127.0.0.1"

_MAX_CONTROL_BODY = 1 << 20
_NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER for 0 s: closing sends a reset."""


class Connection(BaseHTTPRequestHandler):
    """Answers the requests of one connection in a separate thread."""

    server: Simulator
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Register the connection, so that the server can end it."""
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        """Unregister the connection."""
        self.server.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        """Answer a request to the provider's API, a result link, or a read of the control endpoint."""
        target = urlsplit(self.path)
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        if target.path.startswith(CONTROL_PREFIX):
            self._send_control(lambda: self.server.control_api.get(target.path, query))
        elif target.path.endswith("/index.php"):
            self._send_provider(self.server.api.answer(query, self.server.links_url, self.server.elapsed_s()))
        elif target.path.endswith(V1_PATH):
            signature = self.headers.get("Authorization", "")
            self._send_provider(
                self.server.api.answer(query, self.server.links_url, self.server.elapsed_s(), signature)
            )
        elif "/viewresult/" in target.path:
            self._send_result_page(target.path.rpartition("/")[2])
        else:
            self._send(HTTPStatus.NOT_FOUND, b"<html><body>Not found</body></html>")

    def do_POST(self) -> None:
        """Answer an act of the control endpoint."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAX_CONTROL_BODY:
            self.close_connection = True
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        path = urlsplit(self.path).path
        if not path.startswith(CONTROL_PREFIX):
            self._send(HTTPStatus.METHOD_NOT_ALLOWED)
        elif self.headers.get_content_type() != "application/json":
            # A web page can make a browser post forms here, but not JSON.
            self._send(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        else:
            self._send_control(lambda: self.server.control_api.post(path, body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name in http.server
        """Log nothing, because the request line contains the account code."""

    def _send_control(self, answer: Callable[[], ControlReply]) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in {LOOPBACK, "localhost"}:
            # A web page whose host name resolves to this address could read the answers.
            self._send(HTTPStatus.FORBIDDEN)
            return
        reply = answer()
        self._send(reply.status, reply.body, {"Content-Type": "application/json"})

    def _send_result_page(self, token: str) -> None:
        if self.server.api.links.works(token, self.server.world.now()):
            self._send(HTTPStatus.OK, b"<html><body>A result</body></html>")
        else:
            self._send(HTTPStatus.GONE, b"<html><body>This link has expired</body></html>")

    def _send_provider(self, reply: Reply) -> None:
        if reply.delay_s:
            self.server.stopping.wait(reply.delay_s)
        match reply.fate:
            case Fate.ANSWERED:
                if reply.interim_status is not None:
                    self._send_interim(reply.interim_status)
                self._send(reply.status, reply.body, reply.headers, reply.sent_bytes)
            case Fate.HUNG:
                self.close_connection = True
            case Fate.RESET:
                self.close_connection = True
                self.server.closed(self.connection)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                os.close(self.connection.detach())  # the server's close would send FIN first

    def _send_interim(self, status: int) -> None:
        """Send an interim answer before the final one."""
        self.wfile.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nLink: </style.css>; rel=preload\r\n\r\n".encode("ascii")
        )

    def _send(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        sent_bytes: int | None = None,
    ) -> None:
        """Send an answer in one write, so that no part waits for the acknowledgement of another."""
        if sent_bytes is not None:
            self.close_connection = True
        shown = {
            **(PLAIN_TYPE if headers is None else headers),
            "Content-Length": str(len(body)),
            **({"Connection": "close"} if self.close_connection else {}),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in shown.items())
        phrase = HTTPStatus(status).phrase
        self.wfile.write(f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode("ascii") + body[:sent_bytes])
