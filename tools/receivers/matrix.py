"""Runs one receiver, sends it genuine, repeated and forged requests, and reads what it printed."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from examhook.delivery.record import SendResult
from examhook.events.build import Event
from examhook_cli.local.emulator import free_port
from tools.processes import is_listening, running_server
from tools.receivers.environments import Command, command_for
from tools.receivers.receivers import Receiver
from tools.receivers.requests_to_send import EndpointSender, Secrets, example_events, renamed

_START_S = 120
_OLD_S = 3600


@dataclass(frozen=True, slots=True)
class Measured:
    """What one receiver did. Each text is ``yes``, or ``no`` and why."""

    version: str
    parses: str
    """Whether it answered 2xx to every event and printed its type and id."""
    verifies: str
    """Whether it also accepted a request with two signatures, and refused all forged ones."""
    deduplicates: str
    """Whether it answered 2xx to each repeated event and printed it only once."""
    cloudevents: str
    """Whether it printed an event that came as ``application/cloudevents+json``."""

    def differs_from(self, receiver: Receiver) -> list[str]:
        """Return what is not as expected."""
        expected = {
            "parses": receiver.parses,
            "verifies": receiver.verifies,
            "deduplicates": receiver.parses,
        }
        found = {"parses": self.parses, "verifies": self.verifies, "deduplicates": self.deduplicates}
        return [f"{name}: {found[name]}" for name in expected if (found[name] == "yes") != expected[name]]


def measure(receiver: Receiver, secrets: Secrets, folder: Path) -> Measured:
    """Run ``receiver`` in ``folder``, which is empty; raises RuntimeMissingError and ServerStartError."""
    port = free_port()
    command = command_for(receiver, port, folder)
    log = folder / "receiver.log"
    with _running(command, port, secrets, log):
        return _measure(command.version, EndpointSender(f"http://127.0.0.1:{port}/", secrets), log)


def _measure(version: str, sender: EndpointSender, log: Path) -> Measured:
    events = example_events()
    now = int(time.time())
    first = [sender.send(event, now) for event in events]
    again = [sender.send(event, now + 1) for event in events]
    rotated, forged, changed, old, other = (
        renamed(events[0], f"evt_{name}") for name in ("rotated", "forged", "changed", "old", "cloudevents")
    )
    in_rotation = sender.send_during_rotation(rotated, now)
    forgeries = [
        sender.send_forged(forged, now),
        sender.send_changed(changed, now),
        sender.send(old, now - _OLD_S),
    ]
    as_cloudevents = sender.send_cloudevents(other, now)
    printed = log.read_text(errors="replace").splitlines()

    def count(event: Event) -> int:
        return printed.count(f"{event.event_type} {event.event_id}")

    parses = _first_no([_accepted(sent, count(event) > 0) for event, sent in zip(events, first, strict=True)])
    refused = all(
        400 <= (sent.http_status or 0) < 500 and count(event) == 0  # noqa: PLR2004 - the client errors
        for event, sent in zip((forged, changed, old), forgeries, strict=True)
    )
    return Measured(
        version=version,
        parses=parses,
        verifies=(_first_no([parses, _accepted(in_rotation, count(rotated) > 0)]) if refused else "no"),
        deduplicates=_first_no([_repeated(sent, count(event)) for event, sent in zip(events, again, strict=True)]),
        cloudevents=_accepted(as_cloudevents, count(other) == 1),
    )


def _accepted(sent: SendResult, processed: bool) -> str:  # noqa: FBT001 - a column of the table
    """Return ``yes`` if a request was answered with 2xx and processed."""
    status = sent.http_status
    if status is None:
        return f"no: {sent.outcome.value}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "yes" if processed else f"no: lost, answers {status}"
    return f"no: answers {status}"


def _repeated(sent: SendResult, processed_count: int) -> str:
    """Return ``yes`` if a repeated request was answered with 2xx and its event was processed once."""
    if processed_count > 1:
        return f"no: processed {processed_count} times"
    return _accepted(sent, processed_count == 1)


def _first_no(answers: list[str]) -> str:
    return next((answer for answer in answers if answer != "yes"), "yes")


def _running(command: Command, port: int, secrets: Secrets, log: Path) -> AbstractContextManager[None]:
    environ = {
        **os.environ,
        **command.environ,
        "PORT": str(port),
        "EXAMHOOK_SECRET": secrets.own,
        "PYTHONUNBUFFERED": "1",
    }
    return running_server(command.argv, lambda: is_listening(port), environ=environ, log=log, start_s=_START_S)
