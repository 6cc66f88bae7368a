"""The stack that the doctor inspects, with what several checks read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import Endpoint
from examhook.settings import PollSettings
from examhook_cli.installation import Installation

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class InspectedStack:
    """An installation at the time ``now`` (Unix seconds)."""

    installation: Installation
    now: float

    @property
    def session(self) -> Session:
        """AWS session of the installation."""
        return self.installation.session

    def output(self, key: str) -> str:
        """One output of the stack; raises MissingOutputError."""
        return self.installation.stack.output(key)

    def function(self, name: str) -> FunctionConfigurationResponseTypeDef:
        """Configuration of a function (``Poll``, ``Dispatch``, …); raises ClientError."""
        return self.functions.get_function_configuration(FunctionName=self.output(f"{name}FunctionName"))

    def environment(self, name: str) -> Mapping[str, str]:
        """Environment variables of a function."""
        return self.function(name).get("Environment", {}).get("Variables", {})

    @cached_property
    def poll_settings(self) -> PollSettings:
        """Settings of Poll; raises SettingsError, ClientError."""
        return PollSettings.read(self.environment("Poll"))

    @cached_property
    def endpoints(self) -> Sequence[Endpoint]:
        """All webhook endpoints."""
        return self.installation.endpoints.list_all()

    @cached_property
    def functions(self) -> LambdaClient:
        """Client of AWS Lambda."""
        return self.session.client("lambda")

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """Client of Secrets Manager."""
        return self.session.client("secretsmanager")
