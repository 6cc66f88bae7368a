"""A worker of Deliver and a plain loop with ``requests``, timed one after the other.

Both post the same bodies to the same receiver with the same number of threads. The worker does all the work of a
delivery: it parses messages, checks URL and addresses, signs, decides and records. Its tables are in memory. The loop
posts with prepared headers.

::

    LostError    a message was not delivered, so the figures mean nothing
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import requests

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.delivery.record import new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue, body_of
from examhook.events.build import Event, submission_event
from examhook.workflows.delivering.batch_runner import BATCH_SIZE, MAX_ATTEMPTS_AT_ONCE, BatchRunner, QueuedMessage
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome
from examhook_simulator.json_fields import Fields
from tools.bench.delivery.functions import deliver_in_memory
from tools.bench.delivery.submissions import submitted
from tools.bench.delivery.tables_in_memory import MemoryDeliveries, MemoryEndpoints, MemoryEvents
from tools.bench.json_process import serve
from tools.bench.usage import Stopwatch

_ENDPOINT_ID = "ep_bench"
_TIMEOUT_S = 15
_MONTH_S = 30 * 86_400


class _EmptyQueue:
    """A worker asks for more messages if an attempt takes long; there are none."""

    def receive(self, _most: int, _wait_s: int) -> Sequence[object]:
        return ()

    def delete(self, taken: Sequence[object]) -> None:
        """Do nothing."""


class LostError(RuntimeError):
    """A message was not delivered."""


def main() -> None:
    """Time the worker (``product``) or the loop, once per input line."""
    url, at = sys.argv[1], int(time.time())
    with requests.Session() as session:
        session.trust_env = False

        def act(fields: Fields) -> Mapping[str, object]:
            events = made_events(fields.whole("messages"), at)
            return run_worker(url, events, at) if fields.flag("product") else _run_loop(url, session, events)

        serve(act)


def made_events(count: int, at: int) -> list[Event]:
    """Return one event for each of ``count`` submissions."""
    submissions = [submitted(number, at) for number in range(count)]
    return [submission_event(one, one.transitions[0]) for one in submissions]


def run_worker(url: str, events: list[Event], at: int) -> Mapping[str, object]:
    """Deliver ``events`` as Deliver does; return the figures of a Stopwatch. Raises LostError."""
    deliveries = MemoryDeliveries()
    for event in events:
        deliveries.create(
            new_delivery(_ENDPOINT_ID, event.event_id, event.event_type, now=at, expires_at=at + _MONTH_S)
        )
    endpoints = MemoryEndpoints({_ENDPOINT_ID: Endpoint(_ENDPOINT_ID, url, b"", EndpointOrigin.CLI, at)})
    stored_events = MemoryEvents({event.event_id: event for event in events})
    queue = cast("DeliveryQueue", _EmptyQueue())
    workflow = deliver_in_memory(deliveries, endpoints, stored_events, queue, time.time)
    bodies = [body_of(DeliveryMessage(_ENDPOINT_ID, event.event_id, 1)) for event in events]
    with ThreadPoolExecutor(MAX_ATTEMPTS_AT_ONCE + 1) as pool:
        stopwatch = Stopwatch()
        for start in range(0, len(bodies), BATCH_SIZE):
            batch = [QueuedMessage(body, body) for body in bodies[start : start + BATCH_SIZE]]
            BatchRunner(workflow, queue, time.monotonic, _must_arrive, pool).run(batch)
    return stopwatch.figures()


def _must_arrive(_message: QueuedMessage, outcome: DeliverReport | BaseException) -> None:
    if not isinstance(outcome, DeliverReport) or outcome.outcome is not MessageOutcome.DELIVERED:
        raise LostError(str(outcome))


def _run_loop(url: str, session: requests.Session, events: list[Event]) -> Mapping[str, object]:
    headers = {"Content-Type": "application/json", "webhook-timestamp": "1", "webhook-signature": "v1,x"}

    def post(event: Event) -> int:
        event_headers = {**headers, "webhook-id": event.event_id}
        return session.post(url, data=event.body, headers=event_headers, timeout=_TIMEOUT_S).status_code

    stopwatch = Stopwatch()
    with ThreadPoolExecutor(BATCH_SIZE) as pool:
        statuses = set(pool.map(post, events))
    figures = stopwatch.figures()
    if statuses != {requests.codes.no_content}:
        raise LostError(f"The receiver answered {sorted(statuses)}.")
    return figures


if __name__ == "__main__":
    main()
