"""Builds Poll from its settings."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

import boto3
from botocore.config import Config

from examhook.destinations.sns import TopicPublisher
from examhook.events.build import operations_event
from examhook.events.catalogue import OperationsEventType
from examhook.http.session import BoundedSession
from examhook.provider.client import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.provider.port import ProviderClient
from examhook.settings import PollSettings
from examhook.storage.account_code import AccountCode, AccountCodeSecret
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import SubmissionsTable
from examhook.workflows.poll import Poll, RefusalNotice

_CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=20,
)


def poll(environ: Mapping[str, str]) -> Poll:
    """Poll as ``environ`` configures it; raises SettingsError."""
    settings = PollSettings.read(environ)
    dynamodb = boto3.client("dynamodb", config=_CLIENT_CONFIG)
    # One session and one pacer for all polls of the process: connections stay open, and two polls
    # that follow close upon each other keep the pace together.
    session = BoundedSession()
    pacer = Pacer(settings.requests_per_second, time.monotonic, time.sleep)

    def client_for(code: AccountCode) -> ProviderClient:
        return LegacyClient(
            settings.base_url,
            code.code,
            session=session,
            pacer=pacer,
            now=time.time,
            sleep=time.sleep,
            rng=random.Random(),  # noqa: S311 - jitter, not cryptography
        )

    return Poll(
        settings=settings,
        account_code=AccountCodeSecret(
            boto3.client("secretsmanager", config=_CLIENT_CONFIG), settings.account_code_secret_arn, time.time
        ),
        client_for=client_for,
        exams=ExamsTable(dynamodb, settings.exams_table),
        submissions=SubmissionsTable(dynamodb, settings.submissions_table),
        notify_refusal=_refusal_notice(
            TopicPublisher(boto3.client("sns", config=_CLIENT_CONFIG)), settings.operations_topic_arn
        ),
        now=time.time,
        sleep=time.sleep,
    )


def _refusal_notice(publisher: TopicPublisher, topic_arn: str) -> RefusalNotice:
    def notify(account: str, *, since: int, message: str) -> None:
        event = operations_event(OperationsEventType.PROVIDER_REFUSED, account, since, message, {})
        publisher.publish_operations(topic_arn, event)

    return notify
