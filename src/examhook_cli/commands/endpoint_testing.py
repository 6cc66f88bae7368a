"""Sending a test to an endpoint and waiting for what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep, time

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import OPEN_STATUSES, AttemptRecord, Delivery, DeliveryStatus
from examhook.workflows.administration.endpoints import EndpointDisabledError, send_endpoint_test
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation
from examhook_cli.output import waiting

_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a test within the time that was given to it."""

    endpoint_id: str
    event_id: str
    status: DeliveryStatus
    attempt: AttemptRecord | None
    """The attempt that ended; None while it has not."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver accepted it."""
        return self.status is DeliveryStatus.DELIVERED

    @property
    def sentence(self) -> str:
        """What became of it, for the person who sent it."""
        if self.status is DeliveryStatus.CANCELLED:
            return f"The test to {self.endpoint_id} was not sent: the endpoint or the event has been removed."
        if self.attempt is None:
            return (
                f"Nothing came of the test to {self.endpoint_id} yet: "
                f"see examhook deliveries show {self.endpoint_id} {self.event_id}"
            )
        took = f"after {self.attempt.latency_ms} ms"
        if self.delivered:
            return f"The test to {self.endpoint_id} was accepted with HTTP status {self.attempt.http_status} {took}."
        return f"The test to {self.endpoint_id} failed {took}: {self.attempt.reason}"

    def facts(self) -> dict[str, object]:
        """The result as ``--json`` prints it."""
        attempt = self.attempt
        return {
            "endpoint_id": self.endpoint_id,
            "event_id": self.event_id,
            "status": self.status.value,
            "http_status": None if attempt is None else attempt.http_status,
            "latency_ms": None if attempt is None else attempt.latency_ms,
            "reason": None if attempt is None else attempt.reason,
        }


def send_test(installation: Installation, endpoint: Endpoint, timeout_s: float) -> Trial:
    """Send an ``endpoint.test`` and wait up to ``timeout_s`` for the end of its first attempt; raises CommandError."""
    retention_days = int(installation.stack.output("RetentionDays"))
    try:
        event = send_endpoint_test(
            endpoint,
            events=installation.events,
            deliveries=installation.deliveries,
            queue=installation.delivery_queue,
            now=time,
            retention_days=retention_days,
        )
    except EndpointDisabledError as error:
        raise CommandError(str(error)) from error
    with waiting("Waiting for the receiver …"):
        return _wait(installation, endpoint.endpoint_id, event.event_id, timeout_s)


def _wait(installation: Installation, endpoint_id: str, event_id: str, timeout_s: float) -> Trial:
    give_up_at = monotonic() + timeout_s
    while True:
        delivery = installation.deliveries.get(endpoint_id, event_id)
        if _is_decided(delivery) or monotonic() >= give_up_at:
            break
        sleep(_LOOK_AGAIN_S)
    if delivery is None:
        return Trial(endpoint_id, event_id, DeliveryStatus.CANCELLED, None)
    attempt = delivery.attempt_log[-1] if delivery.attempt_log else None
    return Trial(endpoint_id, event_id, delivery.status, attempt)


def _is_decided(delivery: Delivery | None) -> bool:
    return delivery is None or bool(delivery.attempt_log) or delivery.status not in OPEN_STATUSES
