"""AWS in moto with fake credentials: only the tables, or all resources of deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.support.delivery.delivery_stack import REGION, World, delivery_world
from tests.support.storage.tables import create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def dynamodb() -> Iterator[DynamoDBClient]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        create_tables(client)
        yield client


@pytest.fixture
def world() -> Iterator[World]:
    with delivery_world() as made:
        yield made
