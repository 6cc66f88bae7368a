"""The installation that a command is about: which stack, in which account and region, and its clients."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer

from examhook.destinations.delivery_queue import DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.erasure import CandidateDeliveries, CandidateEvents, CandidateSubmissions
from examhook.storage.events import EventsTable
from examhook.storage.exams import ErasuresTable, ExamsTable
from examhook.storage.submissions import ExamStates
from examhook.workflows.administration.erase import EraseCandidate
from examhook_cli.errors import CommandError
from examhook_cli.stack import DEFAULT_STACK_NAME, Stack, find_stack

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

POLL_ANSWER_S = 900
"""Longest that a Lambda function may run, and so the longest that a poll can take to answer."""


@dataclass(frozen=True)
class Installation:
    """A stack by its name; it is looked up, and AWS asked, only when a command needs it."""

    stack_name: str = DEFAULT_STACK_NAME
    region: str | None = None
    profile: str | None = None

    @cached_property
    def session(self) -> Session:
        """The AWS session; raises botocore's ProfileNotFound."""
        from boto3 import Session  # noqa: PLC0415 - half a second that help and completion need not wait for

        return Session(region_name=self.region or os.environ.get("AWS_REGION"), profile_name=self.profile)

    @cached_property
    def stack(self) -> Stack:
        """The stack and its outputs; raises StackError and botocore's errors."""
        return find_stack(self.session, self.stack_name)

    @cached_property
    def endpoints(self) -> EndpointsTable:
        """Who receives webhooks."""
        return EndpointsTable(self._dynamodb, self.stack.output("EndpointsTableName"))

    @cached_property
    def events(self) -> EventsTable:
        """Every event as it was sent."""
        return EventsTable(self._dynamodb, self.stack.output("EventsTableName"))

    @cached_property
    def deliveries(self) -> DeliveriesTable:
        """Every event on its way to every endpoint."""
        return DeliveriesTable(self._dynamodb, self.stack.output("DeliveriesTableName"))

    @cached_property
    def erase_candidate(self) -> EraseCandidate:
        """What takes all that is stored of a candidate out of the tables."""
        tables = {name: self.stack.output(f"{name}TableName") for name in ("Submissions", "Events", "Deliveries")}
        exams = self.stack.output("ExamsTableName")
        return EraseCandidate(
            submissions=CandidateSubmissions(self._dynamodb, tables["Submissions"]),
            events=CandidateEvents(self._dynamodb, tables["Events"]),
            deliveries=CandidateDeliveries(self._dynamodb, tables["Deliveries"]),
            exams=ExamsTable(self._dynamodb, exams),
            exam_states=ExamStates(self._dynamodb, tables["Submissions"]),
            erasures=ErasuresTable(self._dynamodb, exams),
            key=self.secrets_key,
            now=time.time,
            sleep=time.sleep,
        )

    @cached_property
    def delivery_queue(self) -> DeliveryQueue:
        """What tells the stack to send something now."""
        client: SQSClient = self.session.client("sqs", config=_ordinary_config())
        return DeliveryQueue(client, self.stack.output("DeliveryQueueUrl"))

    @cached_property
    def secrets_key(self) -> SecretsKey:
        """What seals the secrets of endpoints."""
        client: KMSClient = self.session.client("kms", config=_ordinary_config())
        return SecretsKey(client, self.stack.output("SecretsKeyArn"))

    def client(self, service: str) -> Any:  # noqa: ANN401 - whoever asks for it names its type
        """A client of ``service`` (``lambda``, ``sqs``, …) that answers soon or not at all."""
        return self.session.client(service, config=_ordinary_config())  # type: ignore[call-overload]

    @cached_property
    def functions(self) -> LambdaClient:
        """Client that waits for as long as a function may run, and never invokes it a second time by itself."""
        return self.session.client("lambda", config=_config(read_timeout_s=POLL_ANSWER_S, attempts=1))

    @cached_property
    def _dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", config=_ordinary_config())


def installation_of(context: typer.Context) -> Installation:
    """The installation that the global options named."""
    found = context.find_object(Installation)
    if found is None:
        raise CommandError("No installation was named.")
    return found


def _ordinary_config() -> Config:
    return _config(read_timeout_s=20, attempts=3)


def _config(read_timeout_s: int, attempts: int) -> Config:
    from botocore.config import Config  # noqa: PLC0415 - as boto3 above

    return Config(
        connect_timeout=5,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )
