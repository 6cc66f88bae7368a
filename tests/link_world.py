"""Deliver and Links over moto's AWS, a simulated provider and receivers, all on real sockets."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import boto3
import requests
from builders import submission, transition
from delivery_world import MONTH_S, World, delivery_world
from moto.dynamodb.responses import DynamoHandler
from recorder import told
from tables import EVENTS, EXAMS

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.destinations.link_service import LinkService
from examhook.events.build import Event, submission_event
from examhook.handlers import links as entry
from examhook.model import Attempt
from examhook.wiring.links import links
from examhook.workflows.links import RenewLinks
from examhook_cli.simulator.facts import AttemptRef
from examhook_cli.simulator.server import Simulator
from examhook_cli.simulator.world import World as ProviderWorld


@dataclass
class LinksFunction:
    """Stands in for Lambda: runs Links' entry point, with JSON in between."""

    workflow: RenewLinks
    fails: bool = False
    invoked: list[str] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's names
        assert FunctionName == "links"
        told("lambda", "Invoke", FunctionName=FunctionName)
        wish = json.loads(Payload)
        self.invoked.append(wish["event_id"])
        if self.fails:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "Any"}')}
        return {"Payload": io.BytesIO(json.dumps(entry.handler(wish, None)).encode())}


@dataclass
class LinkWorld:
    """A delivery world whose events are about attempts at a simulated provider."""

    aws: World
    simulator: Simulator
    function: LinksFunction
    exam_id: str

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
        """An event about ``ref`` that is stored, whose link ended long ago unless ``observed_at`` says otherwise."""
        row = Attempt(ref.candidate_id, ref.started_at, 1, "Mei Chen", result_url="https://provider.test/dead")
        stored = submission(account=account, exam_id=ref.exam_id, attempt=row, **more)
        event = submission_event(stored, transition(event_id=f"evt_{nth:032x}", sequence=nth, event_type=event_type))
        self.aws.events.add(event, int(self.aws.clock.at) + MONTH_S)
        return event

    def message(self, endpoint: Endpoint, event: Event) -> DeliveryMessage:
        """A new delivery, and the message for its first attempt."""
        now = int(self.aws.clock.at)
        self.aws.deliveries.create(
            new_delivery(endpoint.endpoint_id, event.event_id, event.event_type, now=now, expires_at=now + MONTH_S)
        )
        return DeliveryMessage(endpoint.endpoint_id, event.event_id, 1)

    def asked(self) -> list[Mapping[str, str]]:
        """The parameters of every request that the provider got."""
        return [record.params for record in self.simulator.api.requests()]

    def opens(self, url: str) -> bool:
        """Whether the provider shows a result at ``url``."""
        return requests.get(url, timeout=10).status_code == 200


def environment(simulator: Simulator, code_arn: str, **more: str) -> dict[str, str]:
    """What the template gives Links."""
    return {
        "ACCOUNT_NAME": "main",
        "PROVIDER_BASE_URL": simulator.base_url,
        "PROVIDER_DIALECT": "legacy",
        "ACCOUNT_CODE_SECRET_ARN": code_arn,
        "REQUESTS_PER_SECOND": "5",
        "EVENTS_TABLE": EVENTS,
        "EXAMS_TABLE": EXAMS,
        "ACCOUNTS_SECRET_ARN": "",
        **more,
    }


def secret(name: str, text: str) -> str:
    """ARN of a new secret."""
    return boto3.client("secretsmanager", region_name="eu-central-1").create_secret(Name=name, SecretString=text)["ARN"]


def one_call_at_a_time(monkeypatch: Any) -> None:
    """Let moto's DynamoDB, which threads would disturb, answer one call after the other."""
    lock, call = Lock(), DynamoHandler.call_action

    def locked(handler: DynamoHandler) -> Any:
        with lock:
            return call(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", locked)


@contextmanager
def link_world(simulator: Simulator, monkeypatch: Any, **more: str) -> Iterator[LinkWorld]:
    """Everything; ``more`` changes Links' environment, ``accounts`` is the text of the accounts secret."""
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    one_call_at_a_time(monkeypatch)
    accounts = more.pop("accounts", None)
    with delivery_world() as aws:
        code_arn = secret("code", more.pop("code", simulator.code))
        if accounts is not None:
            more["ACCOUNTS_SECRET_ARN"] = secret("accounts", accounts)
        # Real time: turns and the provider's clock are what is tested.
        function = LinksFunction(links(environment(simulator, code_arn, **more)))
        monkeypatch.setattr(entry, "_workflow", lambda: function.workflow)
        aws.link_service = LinkService(function, "links", aws.clock.now)  # type: ignore[arg-type] # a stand-in
        yield LinkWorld(aws, simulator, function, simulator.world.create_exam())
