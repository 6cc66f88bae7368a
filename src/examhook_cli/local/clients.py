"""Clients of the emulator's services, whatever AWS set-up the person has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto3 import Session
from botocore.config import Config

from examhook_cli.local.environment import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, endpoint_url

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

# The emulator is on this machine: no proxy leads there.
_CONFIG = Config(connect_timeout=5, read_timeout=120, retries={"total_max_attempts": 2}, proxies={})


@dataclass(frozen=True, slots=True)
class LocalClients:
    """One client for each service that the local run speaks to, of the emulator on ``port``."""

    port: int

    def cloudformation(self) -> CloudFormationClient:
        """Client of the stack."""
        return _session().client("cloudformation", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def iam(self) -> IAMClient:
        """Client of the functions' roles."""
        return _session().client("iam", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def functions(self) -> LambdaClient:
        """Client of the functions."""
        return _session().client("lambda", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def logs(self) -> CloudWatchLogsClient:
        """Client of their logs."""
        return _session().client("logs", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def dynamodb(self) -> DynamoDBClient:
        """Client of the tables."""
        return _session().client("dynamodb", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def kms(self) -> KMSClient:
        """Client of the key that seals endpoint secrets."""
        return _session().client("kms", endpoint_url=endpoint_url(self.port), config=_CONFIG)


def _session() -> Session:
    return Session(aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION)
