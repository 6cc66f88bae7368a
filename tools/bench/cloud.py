"""The AWS that is measured against: the emulator of the local run, with what one Poll needs in it.

::

    CloudError           the emulator does not answer; trying again may help on a busy machine
    NotInstalledError    its environment is not set up (examhook_cli.errors)
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from boto3 import Session

from examhook.storage.events import LINK_REQUEST_INDEX
from examhook_cli.local.environment import (
    ACCESS_KEY_ID,
    REGION,
    SECRET_ACCESS_KEY,
    LocalPaths,
    emulator_variables,
    endpoint_url,
    shell_variables,
)
from tools.bench.child import PROJECT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SUBMISSIONS, EXAMS, ENDPOINTS, EVENTS = "Submissions", "Exams", "Endpoints", "Events"
_START_S = 60
_GLANCE_S = 0.1


class CloudError(RuntimeError):
    """The emulator did not start."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running emulator with the tables, a topic and a secret."""

    dynamodb: DynamoDBClient
    environ: Mapping[str, str]
    """What points a process at it, and names what is in it."""


@contextmanager
def running_cloud(account_code: str) -> Iterator[Cloud]:
    """An emulator for the length of a ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="examhook-bench-") as state:
        environment, port = LocalPaths(PROJECT, Path(state)), _free_port()
        variables = emulator_variables(os.environ, port, environment.state)
        with subprocess.Popen(  # noqa: S603 - our own program
            [str(environment.program(".venv-emulator", "python")), "-m", "ministack"],
            cwd=state,
            # Who may do what is proved elsewhere; asking for each of so many writes takes time.
            env=variables | {"AUTH": "false"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as emulator:
            try:
                _wait_for(port)
                yield _furnished(port, account_code)
            finally:
                emulator.kill()


def _wait_for(port: int) -> None:
    give_up_at_s = time.monotonic() + _START_S
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < give_up_at_s:
            try:
                if session.get(f"{endpoint_url(port)}/_ministack/health", timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(_GLANCE_S)
    raise CloudError(f"The emulator did not answer within {_START_S} s.")


def _furnished(port: int, account_code: str) -> Cloud:
    session = Session(aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION)
    dynamodb = session.client("dynamodb", endpoint_url=endpoint_url(port))
    _create_table(dynamodb, SUBMISSIONS, "pk", "sk")
    _create_table(dynamodb, EXAMS, "account", "sk")
    _create_table(dynamodb, ENDPOINTS, "endpoint_id")
    _create_events_table(dynamodb)
    secrets = session.client("secretsmanager", endpoint_url=endpoint_url(port))
    topics = session.client("sns", endpoint_url=endpoint_url(port))
    environ = {
        **shell_variables(port),
        "AWS_EC2_METADATA_DISABLED": "true",
        "ACCOUNT_CODE_SECRET_ARN": secrets.create_secret(Name="code", SecretString=account_code)["ARN"],
        "OPERATIONS_TOPIC_ARN": topics.create_topic(Name="operations")["TopicArn"],
        "FAILURE_QUEUE_URL": "https://sqs.test/failures",
        "SUBMISSIONS_TABLE": SUBMISSIONS,
        "EXAMS_TABLE": EXAMS,
        "EVENTS_TABLE": EVENTS,
        "ENDPOINTS_TABLE": ENDPOINTS,
    }
    return Cloud(dynamodb, environ)


def _create_table(dynamodb: DynamoDBClient, name: str, hash_key: str, range_key: str | None = None) -> None:
    # Without the stream that the template gives to Submissions: nothing here listens to it.
    keys = [hash_key] if range_key is None else [hash_key, range_key]
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH" if key == hash_key else "RANGE"} for key in keys],
    )


def _create_events_table(dynamodb: DynamoDBClient) -> None:
    """Create the table of events with the index by which Poll finds requests for links."""
    account, requested_at = "link_requested_for", "link_requested_at"
    dynamodb.create_table(
        TableName=EVENTS,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "event_id", "AttributeType": "S"},
            {"AttributeName": account, "AttributeType": "S"},
            {"AttributeName": requested_at, "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "event_id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": LINK_REQUEST_INDEX,
                "KeySchema": [
                    {"AttributeName": account, "KeyType": "HASH"},
                    {"AttributeName": requested_at, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
