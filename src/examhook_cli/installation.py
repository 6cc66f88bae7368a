"""The installation that a command works on: its stack, tables and AWS clients."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from examhook.delivery.endpoint import Endpoint
from examhook.destinations.delivery_queue import DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.events.build import Event
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.erasure import CandidateDeliveries, CandidateEvents, CandidateSubmissions
from examhook.storage.events import EventsTable
from examhook.storage.exams import ErasuresTable, ExamsTable
from examhook.storage.submissions import ExamStates
from examhook.workflows.administration.erase import EraseCandidate
from examhook_cli.errors import CommandError
from examhook_cli.stack import DEFAULT_STACK_NAME, Stack, read_stack

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_INVOCATION_S = 900
"""Maximum run time of a Lambda function."""
_MAX_EXPIRY_DELAY_DAYS = 2
"""DynamoDB deletes expired items within this time."""


@dataclass(frozen=True)
class Installation:
    """A stack, selected by name and looked up in AWS on first use."""

    stack_name: str = DEFAULT_STACK_NAME
    region: str | None = None
    profile: str | None = None

    @cached_property
    def session(self) -> Session:
        """AWS session whose clients time out after 20 s; raises botocore's ProfileNotFound."""
        # Importing boto3 takes half a second; help and shell completion do not need it.
        from boto3 import Session  # noqa: PLC0415 - see above
        from botocore.config import Config  # noqa: PLC0415 - see above
        from botocore.session import get_session  # noqa: PLC0415 - see above

        core = get_session()
        retries = {"mode": "standard", "total_max_attempts": 3}
        core.set_default_client_config(
            Config(connect_timeout=5, read_timeout=20, retries=retries, tcp_keepalive=True)  # type: ignore[arg-type]
        )
        region = self.region or os.environ.get("AWS_REGION")
        return Session(region_name=region, profile_name=self.profile, botocore_session=core)

    @cached_property
    def stack(self) -> Stack:
        """The stack and its outputs; raises StackError and botocore's errors."""
        return read_stack(self.session.client("cloudformation"), self.stack_name)

    @cached_property
    def retention_days(self) -> int:
        """Days that events and deliveries are stored."""
        return int(self.stack.output("RetentionDays"))

    @cached_property
    def endpoints(self) -> EndpointsTable:
        """Webhook endpoints."""
        return EndpointsTable(self.dynamodb, self.stack.output("EndpointsTableName"))

    @cached_property
    def events(self) -> EventsTable:
        """Events as sent."""
        return EventsTable(self.dynamodb, self.stack.output("EventsTableName"))

    @cached_property
    def deliveries(self) -> DeliveriesTable:
        """Deliveries, one for each event and endpoint."""
        return DeliveriesTable(self.dynamodb, self.stack.output("DeliveriesTableName"))

    @cached_property
    def exams(self) -> ExamsTable:
        """State of each account."""
        return ExamsTable(self.dynamodb, self.stack.output("ExamsTableName"))

    @cached_property
    def exam_states(self) -> ExamStates:
        """State of each exam."""
        return ExamStates(self.dynamodb, self.stack.output("SubmissionsTableName"))

    @cached_property
    def erase_candidate(self) -> EraseCandidate:
        """The use case behind ``examhook erase``."""
        tables = {name: self.stack.output(f"{name}TableName") for name in ("Submissions", "Events", "Deliveries")}
        return EraseCandidate(
            submissions=CandidateSubmissions(self.dynamodb, tables["Submissions"]),
            events=CandidateEvents(self.dynamodb, tables["Events"]),
            deliveries=CandidateDeliveries(self.dynamodb, tables["Deliveries"]),
            exams=self.exams,
            exam_states=self.exam_states,
            erasures=ErasuresTable(self.dynamodb, self.stack.output("ExamsTableName")),
            key=self.secrets_key,
            now=time.time,
            sleep=time.sleep,
        )

    @cached_property
    def delivery_queue(self) -> DeliveryQueue:
        """Queue that triggers deliveries."""
        return DeliveryQueue(self.session.client("sqs"), self.stack.output("DeliveryQueueUrl"))

    @cached_property
    def secrets_key(self) -> SecretsKey:
        """Key that encrypts the secrets of endpoints."""
        return SecretsKey(self.session.client("kms"), self.stack.output("SecretsKeyArn"))

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Client of the tables."""
        return self.session.client("dynamodb")

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """One endpoint; raises CommandError if it does not exist."""
        endpoint = self.endpoints.get(endpoint_id)
        if endpoint is None:
            raise CommandError(f"Endpoint {endpoint_id} does not exist: see examhook endpoints list.")
        return endpoint

    def event(self, event_id: str) -> Event:
        """One event; raises CommandError if it does not exist."""
        event = self.events.get(event_id)
        if event is None:
            raise CommandError(
                f"Event {event_id} does not exist or has expired ({self.retention_days} days): "
                "see examhook events list."
            )
        return event

    def oldest_event_at(self, now: int) -> int:
        """Unix seconds before which all events have expired; a query for each earlier day would find nothing."""
        return now - (self.retention_days + _MAX_EXPIRY_DELAY_DAYS) * 86_400

    def invoke(self, function: str, payload: Mapping[str, object], failure: str) -> dict[str, object]:
        """Invoke a function (``Poll``, ``Dispatch``) once and return the JSON object that it returns.

        Raises CommandError, which begins with ``failure``, if the function fails.
        """
        from botocore.config import Config  # noqa: PLC0415 - as in session

        # A retry would start a second run.
        config = Config(read_timeout=_MAX_INVOCATION_S, retries={"total_max_attempts": 1})
        response = self.session.client("lambda", config=config).invoke(
            FunctionName=self.stack.output(f"{function}FunctionName"),
            InvocationType="RequestResponse",
            Payload=json.dumps(payload).encode(),
        )
        try:
            document = json.loads(response["Payload"].read())
        except ValueError:
            document = None
        result = document if isinstance(document, dict) else {}
        if response.get("FunctionError"):
            reason = result.get("errorMessage") or result.get("errorType") or f"see the log of {function}"
            raise CommandError(f"{failure}: {reason}")
        return result


def installation_of(context: typer.Context) -> Installation:
    """The installation that the global options select."""
    installation = context.find_object(Installation)
    if installation is None:
        raise CommandError("No installation is selected.")
    return installation
