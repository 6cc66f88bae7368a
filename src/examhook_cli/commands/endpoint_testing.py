"""Sends a test event to an endpoint and waits for the result."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep, time

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import OPEN_STATUSES, AttemptRecord, Delivery, DeliveryStatus
from examhook.workflows.administration.endpoints import EndpointDisabledError, send_endpoint_test
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation
from examhook_cli.output import waiting

_POLL_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class EndpointTestResult:
    """State of a test delivery after its first attempt, or after the timeout."""

    endpoint_id: str
    event_id: str
    status: DeliveryStatus
    attempt: AttemptRecord | None
    """The completed attempt; None if it has not completed."""

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver accepted the test."""
        return self.status is DeliveryStatus.DELIVERED

    @property
    def sentence(self) -> str:
        """The result for the user."""
        if self.status is DeliveryStatus.CANCELLED:
            return f"The test to {self.endpoint_id} was cancelled: the endpoint or the event was removed."
        if self.attempt is None:
            return (
                f"The test to {self.endpoint_id} has no result yet: "
                f"see examhook deliveries show {self.endpoint_id} {self.event_id}"
            )
        duration = f"after {self.attempt.latency_ms} ms"
        if self.is_delivered:
            status = self.attempt.http_status
            return f"The test to {self.endpoint_id} was accepted with HTTP status {status} {duration}."
        return f"The test to {self.endpoint_id} failed {duration}: {self.attempt.reason}"

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


def send_test(installation: Installation, endpoint: Endpoint, timeout_s: float) -> EndpointTestResult:
    """Send an ``endpoint.test`` and wait for its first attempt; raises CommandError if the endpoint is disabled."""
    try:
        event = send_endpoint_test(
            endpoint,
            events=installation.events,
            deliveries=installation.deliveries,
            queue=installation.delivery_queue,
            now=time,
            retention_days=installation.retention_days,
        )
    except EndpointDisabledError as error:
        raise CommandError(str(error)) from error
    with waiting("Waiting for the receiver …"):
        delivery = _completed_delivery(installation, endpoint.endpoint_id, event.event_id, timeout_s)
    if delivery is None:
        return EndpointTestResult(endpoint.endpoint_id, event.event_id, DeliveryStatus.CANCELLED, None)
    attempt = delivery.attempt_log[-1] if delivery.attempt_log else None
    return EndpointTestResult(endpoint.endpoint_id, event.event_id, delivery.status, attempt)


def _completed_delivery(
    installation: Installation, endpoint_id: str, event_id: str, timeout_s: float
) -> Delivery | None:
    """The delivery after its first attempt, or after ``timeout_s``; None if it was removed."""
    give_up_at = monotonic() + timeout_s
    while True:
        delivery = installation.deliveries.get(endpoint_id, event_id)
        is_completed = delivery is None or bool(delivery.attempt_log) or delivery.status not in OPEN_STATUSES
        if is_completed or monotonic() >= give_up_at:
            return delivery
        sleep(_POLL_INTERVAL_S)
