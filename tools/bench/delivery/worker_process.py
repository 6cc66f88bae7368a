"""One worker of Deliver, and a bare loop of ``requests`` beside it, timed in this process one after the other.

Both post the same bodies to the same receiver with the same number of threads. The worker does all
that it does for a delivery: it parses messages, checks the URL and each address, signs, decides,
records; its tables answer from memory. The loop posts with headers that were made before.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import requests

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.delivery.record import new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue, body_of
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.events.build import Event, submission_event
from examhook.storage.batch_loader import BatchLoader
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventLinks
from examhook.workflows.delivering.batch_runner import BATCH, MOST, DeliverRound, Message
from examhook.workflows.delivering.deliver import Channels, DeliverWebhooks, Stores
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome
from examhook_simulator.wire import Fields
from tools.bench.child import serve
from tools.bench.delivery.functions import OpenKey
from tools.bench.delivery.submissions import submitted
from tools.bench.delivery.tables_in_memory import (
    MemoryBatchLoader,
    MemoryDeliveries,
    MemoryEndpoints,
    MemoryEvents,
    MemoryLinks,
)
from tools.bench.usage import cpu_s

ENDPOINT_ID = "ep_bench"
_MONTH_S = 30 * 86_400


class _EmptyQueue:
    def receive(self, _most: int, _wait_s: int) -> Sequence[object]:
        """Return no message: a worker asks for more while an attempt takes long."""
        return ()

    def delete(self, taken: Sequence[object]) -> None:
        """Nothing was taken."""


class LostError(RuntimeError):
    """A message was not delivered, so that the figures mean nothing."""


def main() -> None:
    """Time whichever of the two the input names."""
    url = sys.argv[1]
    at = int(time.time())
    session = guarded_client(allow_private=True)
    sender = WebhookSender(session, allow_http=True, allow_private=True)
    with requests.Session() as bare:
        bare.trust_env = False

        def act(fields: Fields) -> Mapping[str, object]:
            events = made(fields.whole("messages"), at)
            run = work(url, sender, events, at) if fields.flag("product") else _loop(url, bare, events)
            return {"seconds": run[0], "cpu_s": run[1]}

        serve(act)


def made(count: int, at: int) -> list[Event]:
    """Events of as many submissions."""
    submissions = [submitted(number, at) for number in range(count)]
    return [submission_event(one, one.transitions[0]) for one in submissions]


def work(url: str, sender: WebhookSender, events: list[Event], at: int) -> tuple[float, float]:
    """Deliver ``events`` as Deliver does; seconds by the clock, and of processor time. Raises LostError."""
    endpoint = Endpoint(ENDPOINT_ID, url, b"", EndpointOrigin.CLI, at)
    deliveries = MemoryDeliveries()
    for event in events:
        deliveries.create(new_delivery(ENDPOINT_ID, event.event_id, event.event_type, now=at, expires_at=at + _MONTH_S))
    endpoints, links = (
        MemoryEndpoints({ENDPOINT_ID: endpoint}),
        MemoryLinks(MemoryEvents({e.event_id: e for e in events})),
    )
    stores = Stores(
        cast("DeliveriesTable", deliveries),
        cast("EndpointsTable", endpoints),
        cast("EventLinks", links),
        cast("BatchLoader", MemoryBatchLoader(endpoints, links)),
    )
    queue = cast("DeliveryQueue", _EmptyQueue())
    workflow = DeliverWebhooks(
        stores,
        Channels(sender, cast("SecretsKey", OpenKey()), queue),
        now=time.time,
        rng=random.Random(7),  # noqa: S311 - jitter
        deadline_s=15,
    )
    bodies = [body_of(DeliveryMessage(ENDPOINT_ID, event.event_id, 1)) for event in events]
    with ThreadPoolExecutor(MOST + 1) as pool:
        cpu_before_s, began_s = cpu_s(), time.monotonic()
        for start in range(0, len(bodies), BATCH):
            batch = [Message(body, body) for body in bodies[start : start + BATCH]]
            DeliverRound(workflow, queue, time.monotonic, _must_arrive, pool).run(batch)
    return time.monotonic() - began_s, cpu_s() - cpu_before_s


def _must_arrive(_message: Message, outcome: DeliverReport | BaseException) -> None:
    if not isinstance(outcome, DeliverReport) or outcome.outcome is not MessageOutcome.DELIVERED:
        raise LostError(str(outcome))


def _loop(url: str, session: requests.Session, events: list[Event]) -> tuple[float, float]:
    headers = {"Content-Type": "application/json", "webhook-timestamp": "1", "webhook-signature": "v1,x"}

    def post(event: Event) -> int:
        answer = session.post(url, data=event.body, headers={**headers, "webhook-id": event.event_id}, timeout=15)
        return answer.status_code

    cpu_before_s, began_s = cpu_s(), time.monotonic()
    with ThreadPoolExecutor(BATCH) as pool:
        statuses = set(pool.map(post, events))
    used = time.monotonic() - began_s, cpu_s() - cpu_before_s
    if statuses != {requests.codes.no_content}:
        raise LostError(f"the receiver answered {sorted(statuses)}")
    return used


if __name__ == "__main__":
    main()
