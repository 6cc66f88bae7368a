"""The installation that is examined: its stack, its clients, and what several checks rest on, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from examhook.settings import PollSettings
from examhook.storage.exam_states import ExamStates
from examhook.storage.exams import ExamsTable
from examhook_cli.installation import Installation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Patient:
    """An installation under examination."""

    installation: Installation
    now: float

    def output(self, key: str) -> str:
        """One output of the stack; raises MissingOutputError."""
        return self.installation.stack.output(key)

    def function(self, name: str) -> FunctionConfigurationResponseTypeDef:
        """How a function (``Poll``, ``Dispatch``, …) is deployed; raises ClientError."""
        return self.functions.get_function_configuration(FunctionName=self.output(f"{name}FunctionName"))

    def environment(self, name: str) -> Mapping[str, str]:
        """What a function is configured with."""
        return self.function(name).get("Environment", {}).get("Variables", {})

    @cached_property
    def poll_settings(self) -> PollSettings:
        """What Poll works by; raises SettingsError, ClientError."""
        return PollSettings.read(self.environment("Poll"))

    @cached_property
    def exams(self) -> ExamsTable:
        """What is known of each account."""
        return ExamsTable(self.dynamodb, self.output("ExamsTableName"))

    @cached_property
    def exam_states(self) -> ExamStates:
        """The state of each exam."""
        return ExamStates(self.dynamodb, self.output("SubmissionsTableName"))

    @cached_property
    def functions(self) -> LambdaClient:
        """Client of the functions, for questions about them."""
        client: LambdaClient = self.installation.client("lambda")
        return client

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Client of the tables."""
        client: DynamoDBClient = self.installation.client("dynamodb")
        return client

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Client of the logs."""
        client: CloudWatchLogsClient = self.installation.client("logs")
        return client

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """Client of the secrets."""
        client: SecretsManagerClient = self.installation.client("secretsmanager")
        return client

    @cached_property
    def topics(self) -> SNSClient:
        """Client of the topics."""
        client: SNSClient = self.installation.client("sns")
        return client

    @cached_property
    def queues(self) -> SQSClient:
        """Client of the queues."""
        client: SQSClient = self.installation.client("sqs")
        return client
