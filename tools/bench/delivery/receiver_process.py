"""Several webhook receivers in one process. Each answers at once, hangs, or answers 503.

They verify nothing and are fast, so that they never limit a measurement.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook_simulator.json_fields import Fields
from tools.bench.json_process import answer, serve

WELL, HANGING, BUSY = "well", "hanging", "busy"
_ANSWERS = {
    WELL: b"HTTP/1.1 204 No Content\r\n\r\n",
    BUSY: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
}


@dataclass(slots=True)
class Receiver:
    """One receiver and its requests."""

    mode: str = WELL
    port: int = 0
    arrivals: list[tuple[str, float, bool]] = field(default_factory=list)
    """``webhook-id``, Unix seconds of the first byte, and whether the request was accepted."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while data := await reader.read(65_536):
                began_at, mode = time.time(), self.mode
                while b"\r\n\r\n" not in data:
                    data += await reader.read(65_536)
                head, _, body = data.partition(b"\r\n\r\n")
                headers = _headers(head)
                missing = int(headers.get("content-length", "0")) - len(body)
                if missing > 0:
                    await reader.readexactly(missing)
                self.arrivals.append((headers.get("webhook-id", ""), began_at, mode == WELL))
                if mode == HANGING:
                    await reader.read()
                    break
                writer.write(_ANSWERS[mode])
        writer.close()


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def _run(count: int) -> None:
    receivers = [Receiver() for _ in range(count)]
    for receiver in receivers:
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, backlog=512)
        receiver.port = server.sockets[0].getsockname()[1]
    answer({"ports": [str(receiver.port) for receiver in receivers]})
    # The input is read in a thread, so that the receivers never wait for it.
    await asyncio.to_thread(serve, lambda fields: _act(receivers, fields))


def _act(receivers: list[Receiver], fields: Fields) -> Mapping[str, object]:
    if fields.has("mode"):
        receivers[fields.whole("receiver")].mode = fields.text("mode")
        return {}
    arrivals = [
        {"receiver": number, "id": event_id, "at": at, "accepted": accepted}
        for number, receiver in enumerate(receivers)
        for event_id, at, accepted in receiver.arrivals
    ]
    if fields.flag("clear"):
        for receiver in receivers:
            receiver.arrivals = []
    return {"arrivals": arrivals}


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1])))
