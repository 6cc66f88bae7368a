"""AWS clients of the emulator, independent of the user's AWS configuration."""

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

# Proxies cannot reach the emulator on this machine.
_CONFIG = Config(connect_timeout=5, read_timeout=120, retries={"total_max_attempts": 2}, proxies={})


@dataclass(frozen=True, slots=True)
class LocalClients:
    """Clients of the emulator on ``port``."""

    port: int

    def cloudformation(self) -> CloudFormationClient:
        """Client of CloudFormation."""
        return _session().client("cloudformation", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def iam(self) -> IAMClient:
        """Client of IAM."""
        return _session().client("iam", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def functions(self) -> LambdaClient:
        """Client of Lambda."""
        return _session().client("lambda", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def logs(self) -> CloudWatchLogsClient:
        """Client of CloudWatch Logs."""
        return _session().client("logs", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def dynamodb(self) -> DynamoDBClient:
        """Client of DynamoDB."""
        return _session().client("dynamodb", endpoint_url=endpoint_url(self.port), config=_CONFIG)

    def kms(self) -> KMSClient:
        """Client of KMS."""
        return _session().client("kms", endpoint_url=endpoint_url(self.port), config=_CONFIG)


def _session() -> Session:
    return Session(aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION)
