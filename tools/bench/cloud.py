"""The AWS emulator of the local stack, with the resources that Poll needs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3 import Session

from examhook.storage.events import LINK_REQUEST_INDEX
from examhook_cli.local.emulator import free_port
from examhook_cli.local.environment import (
    ACCESS_KEY_ID,
    REGION,
    SECRET_ACCESS_KEY,
    LocalPaths,
    emulator_variables,
    endpoint_url,
    shell_variables,
)
from tools.processes import PROJECT, answers, running_server

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import ProjectionTypeType, ScalarAttributeTypeType
    from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef, KeySchemaElementTypeDef

SUBMISSIONS, EXAMS, ENDPOINTS, EVENTS = "Submissions", "Exams", "Endpoints", "Events"
SESSION = Session(aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION)
"""Session of the emulator's root user."""


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index."""

    name: str
    hash_key: str
    range_key: str
    projection: ProjectionTypeType = "ALL"


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running emulator with tables, a topic and a secret."""

    dynamodb: DynamoDBClient
    url: str
    environ: Mapping[str, str]
    """Variables with which a process finds the emulator and the resources."""


@contextmanager
def running_cloud(account_code: str) -> Iterator[Cloud]:
    """Run an emulator until the ``with`` block ends; raises ServerStartError and NotInstalledError."""
    with tempfile.TemporaryDirectory(prefix="examhook-bench-") as folder:
        environment, port = LocalPaths(PROJECT, Path(folder)), free_port()
        with running_server(
            [str(environment.program(".venv-emulator", "python")), "-m", "ministack"],
            lambda: answers(f"{endpoint_url(port)}/_ministack/health"),
            cwd=environment.state,
            # Checking the permissions of every write would take time; the end-to-end tests check them.
            environ=emulator_variables(os.environ, port, environment.state) | {"AUTH": "false"},
        ):
            yield _with_resources(port, account_code)


def _with_resources(port: int, account_code: str) -> Cloud:
    url = endpoint_url(port)
    dynamodb = SESSION.client("dynamodb", endpoint_url=url)
    # Submissions has no stream, because nothing here reads it.
    create_table(dynamodb, SUBMISSIONS, {"pk": "S", "sk": "S"}, ["pk", "sk"])
    create_table(dynamodb, EXAMS, {"account": "S", "sk": "S"}, ["account", "sk"])
    create_table(dynamodb, ENDPOINTS, {"endpoint_id": "S"}, ["endpoint_id"])
    create_table(
        dynamodb,
        EVENTS,
        {"event_id": "S", "link_requested_for": "S", "link_requested_at": "N"},
        ["event_id"],
        Index(LINK_REQUEST_INDEX, "link_requested_for", "link_requested_at"),
    )
    secret = SESSION.client("secretsmanager", endpoint_url=url).create_secret(Name="code", SecretString=account_code)
    environ = {
        **shell_variables(port),
        "AWS_EC2_METADATA_DISABLED": "true",
        "ACCOUNT_CODE_SECRET_ARN": secret["ARN"],
        "OPERATIONS_TOPIC_ARN": SESSION.client("sns", endpoint_url=url).create_topic(Name="operations")["TopicArn"],
        "FAILURE_QUEUE_URL": "https://sqs.test/failures",
        "SUBMISSIONS_TABLE": SUBMISSIONS,
        "EXAMS_TABLE": EXAMS,
        "EVENTS_TABLE": EVENTS,
        "ENDPOINTS_TABLE": ENDPOINTS,
    }
    return Cloud(dynamodb, url, environ)


def create_table(
    dynamodb: DynamoDBClient,
    name: str,
    attributes: Mapping[str, ScalarAttributeTypeType],
    keys: Sequence[str],
    index: Index | None = None,
) -> None:
    """Create a table on demand; ``keys`` are its hash key and, if it has one, its range key."""
    table: CreateTableInputTypeDef = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in attributes.items()],
        "KeySchema": _key_schema(keys),
    }
    if index is not None:
        table["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema([index.hash_key, index.range_key]),
                "Projection": {"ProjectionType": index.projection},
            }
        ]
    dynamodb.create_table(**table)


def _key_schema(keys: Sequence[str]) -> list[KeySchemaElementTypeDef]:
    return [{"AttributeName": key, "KeyType": "HASH" if key == keys[0] else "RANGE"} for key in keys]
