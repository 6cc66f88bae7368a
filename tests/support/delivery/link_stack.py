"""Deliver and Poll's link requests with moto's AWS, a simulated provider and receivers, all on real sockets."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.detection.intervals import worst_case_s
from examhook.events.build import Event, submission_event
from examhook.http.client import HttpClient
from examhook.model import Attempt
from examhook.provider.api_client import ClientOptions
from examhook.provider.discovery import Discovery
from examhook.provider.legacy import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.provider.port import ProviderClient
from examhook.provider.v1 import V1Memory
from examhook.workflows.polling.report import PollReport
from examhook.workflows.polling.result_links import serve_link_requests
from examhook_simulator.facts import AttemptRef
from examhook_simulator.server import Simulator
from examhook_simulator.world import World as ProviderWorld
from tests.support.delivery.delivery_stack import MONTH_S, World, delivery_world
from tests.support.events.model_values import submission, transition

FAST = 10_000.0
"""Requests per second; the pace is not what these tests are about."""


@dataclass
class LinkWorld:
    """A delivery world whose events are about attempts at a simulated provider."""

    aws: World
    simulator: Simulator
    exam_id: str
    dialect: Callable[..., ProviderClient] = LegacyClient
    options: dict[str, Any] = field(default_factory=dict)
    """Changes to what the client is made with."""

    @property
    def provider(self) -> ProviderWorld:
        return self.simulator.world

    def ended(self, candidate_id: str | None = None, exam_id: str | None = None) -> AttemptRef:
        """An attempt that ended at the provider."""
        ref = self.provider.start(exam_id or self.exam_id, candidate_id=candidate_id)
        self.provider.submit(ref)
        return ref

    def event(
        self,
        ref: AttemptRef,
        nth: int = 1,
        account: str = "main",
        event_type: str = "submission.submitted",
        **more: Any,
    ) -> Event:
        """A stored event about ``ref``, whose link expired long ago unless ``observed_at`` says otherwise."""
        row = Attempt(ref.candidate_id, ref.started_at, 1, "Mei Chen", result_url="https://provider.test/dead")
        stored = submission(account=account, exam_id=ref.exam_id, attempt=row, **more)
        event = submission_event(
            stored, transition(event_id=f"evt_{nth:032x}", sequence=nth + 1, event_type=event_type)
        )
        self.aws.events.add(event, int(self.aws.clock.at) + MONTH_S)
        return event

    def message(self, endpoint: Endpoint, event: Event) -> DeliveryMessage:
        """A new delivery, and the message for its first attempt."""
        now = int(self.aws.clock.at)
        self.aws.deliveries.create(
            new_delivery(endpoint.endpoint_id, event.event_id, event.event_type, now=now, expires_at=now + MONTH_S)
        )
        return DeliveryMessage(endpoint.endpoint_id, event.event_id, 1)

    def client(self) -> ProviderClient:
        """A client of the simulated provider, as Poll makes one."""
        options: ClientOptions = {
            "session": HttpClient(),
            "pacer": Pacer(FAST, time.monotonic, time.sleep),
            "now": self.aws.clock.now,
            "sleep": self.aws.clock.sleep,
            "rng": random.Random(7),
        }
        memory = {} if self.dialect is LegacyClient else {"memory": V1Memory(Discovery(list))}
        return self.dialect(self.simulator.base_url, self.simulator.code, **memory, **{**options, **self.options})

    def serve(self, account: str = "main", client: ProviderClient | None = None) -> PollReport:
        """Serve link requests as a poll does."""
        report = PollReport(worst_case_s(poll_s=60, full_scan_s=3600))
        serve_link_requests(client or self.client(), self.aws.links, account, report, self.aws.clock.now)
        return report

    def asked(self) -> list[Mapping[str, str]]:
        """The parameters of every request to the provider."""
        return [record.params for record in self.simulator.api.requests()]

    def opens(self, url: str) -> bool:
        """Whether the provider shows a result at ``url``."""
        return requests.get(url, timeout=10).status_code == 200


@contextmanager
def link_world(
    simulator: Simulator, monkeypatch: Any, dialect: Callable[..., ProviderClient] = LegacyClient
) -> Iterator[LinkWorld]:
    """Everything, with a client that speaks ``dialect``."""
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with delivery_world() as aws:
        yield LinkWorld(aws, simulator, simulator.world.create_exam(), dialect)
