"""What ``examhook local up`` leaves for others: a file for shells, and one that says what there is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import EndpointStatus
from examhook.destinations.secrets import SecretsKey
from examhook.storage.endpoints import EndpointsTable
from examhook_cli.local.deploy import write_private
from examhook_cli.local.environment import LocalEnvironment, shell_text
from examhook_cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient


@dataclass(frozen=True, slots=True)
class OpenEndpoint:
    """A webhook endpoint of the local stack with its signing secret (``whsec_…``)."""

    endpoint_id: str
    url: str
    secret: str = field(repr=False)


def open_endpoints(stack: Stack, dynamodb: DynamoDBClient, kms: KMSClient) -> list[OpenEndpoint]:
    """The enabled endpoints, oldest first."""
    key = SecretsKey(kms, stack.output("SecretsKeyArn"))
    return [
        OpenEndpoint(endpoint.endpoint_id, endpoint.url, key.open(endpoint.endpoint_id, endpoint.sealed_secret))
        for endpoint in EndpointsTable(dynamodb, stack.output("EndpointsTableName")).list_all()
        if endpoint.status is EndpointStatus.ENABLED
    ]


def write_status(environment: LocalEnvironment, port: int, stack: Stack, endpoints: Sequence[OpenEndpoint]) -> None:
    """Write ``.local/env`` and ``.local/stack.json``; the latter holds secrets, so its owner alone may read it."""
    write_private(environment.shell_file, shell_text(port))
    document = {
        "outputs": dict(stack.outputs),
        "endpoints": [
            {"id": endpoint.endpoint_id, "url": endpoint.url, "secret": endpoint.secret} for endpoint in endpoints
        ],
    }
    write_private(environment.stack_file, json.dumps(document, indent=2) + "\n")
