"""Removing an endpoint, together with what waits for it.

In this order a crash or an interruption is harmless: run it again to finish::

    disable ──▶ cancel what waits ──▶ remove ──▶ cancel what was created meanwhile

Functions raise botocore's errors when AWS refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import ENDPOINT_REMOVED
from examhook.storage.deliveries import DeliveriesTable, DueDelivery
from examhook.storage.endpoints import EndpointsTable

_PAGE = 500
_PARALLEL_WRITES = 8


def remove_endpoint(
    endpoint: Endpoint, endpoints: EndpointsTable, deliveries: DeliveriesTable, *, now: Callable[[], float]
) -> int | None:
    """Remove an endpoint and cancel what waits for it; how many deliveries, or None if the endpoint was gone."""
    endpoint_id = endpoint.endpoint_id
    endpoints.disable(endpoint_id, "it is being removed", int(now()))
    cancelled = _cancel_waiting(endpoint_id, deliveries)
    if not endpoints.remove(endpoint_id):
        return None
    return cancelled + _cancel_waiting(endpoint_id, deliveries)


def _cancel_waiting(endpoint_id: str, deliveries: DeliveriesTable) -> int:
    def cancel(waiting: DueDelivery) -> bool:
        return deliveries.cancel(endpoint_id, waiting.event_id, ENDPOINT_REMOVED)

    cancelled = 0
    last: DueDelivery | None = None
    with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
        while page := deliveries.waiting(endpoint_id, _PAGE, last):
            cancelled += sum(pool.map(cancel, page))
            last = page[-1]
    return cancelled
