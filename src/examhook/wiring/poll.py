"""Builds the polls of all accounts."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, assert_never

import boto3
from botocore.config import Config

from examhook.destinations.redrive_queue import CLOCK_MARGIN_S, RedriveQueue, RedriveRequest
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.sns import TopicPublisher
from examhook.destinations.tick_queue import TickQueue
from examhook.detection.intervals import MINUTE_S
from examhook.events.build import operations_event
from examhook.events.catalogue import OperationsEventType
from examhook.http.client import HttpClient
from examhook.model import Exam
from examhook.provider.api_client import ClientOptions
from examhook.provider.discovery import Discovery
from examhook.provider.legacy import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.provider.port import ProviderClient
from examhook.provider.v1 import V1Client, V1Memory
from examhook.settings import Dialect, PollSettings
from examhook.storage.account_secrets import Account, AccountCode, AccountCodeSecret, AccountsSecret, code_in
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import DispatchedEvents, EventLinks
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from examhook.workflows.administration.erasure_key import erasure_key
from examhook.workflows.polling.accounts import AccountPolls
from examhook.workflows.polling.dispatch_monitor import DispatchMonitor
from examhook.workflows.polling.poll import Poll

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=20,
    # The types already check parameters; validation would take a seventh of the CPU time of a write.
    parameter_validation=False,
)

_OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Garbage collection threshold, in allocated objects."""


def build_polls(environ: Mapping[str, str]) -> AccountPolls:
    """Build the polls of all accounts from ``environ``; raises SettingsError."""
    settings = PollSettings.read(environ)
    secrets = boto3.client("secretsmanager", config=_CLIENT_CONFIG)
    dynamodb = boto3.client("dynamodb", config=_CLIENT_CONFIG)
    notify = _refusal_notice(TopicPublisher(boto3.client("sns", config=_CLIENT_CONFIG)), settings.operations_topic_arn)

    def build(account: Account) -> Poll:
        own_settings = replace(
            settings,
            account=account.name,
            base_url=account.base_url,
            dialect=account.dialect,
            account_code_secret_arn=settings.accounts_secret_arn,
            requests_per_second=account.requests_per_second or settings.requests_per_second,
            initial_sync=account.initial_sync or settings.initial_sync,
        )
        return _poll(own_settings, secrets, dynamodb, notify, partial(code_in, name=account.name))

    has_further_accounts = bool(settings.accounts_secret_arn)
    polls_within_minute = settings.poll_interval_s < MINUTE_S
    # Exclude loaded modules, which live as long as the process, from garbage collection.
    gc.freeze()
    # Rows never form reference cycles, so collecting garbage after every few pages is enough.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    return AccountPolls(
        own=_poll(settings, secrets, dynamodb, notify),
        build=build,
        secret=AccountsSecret(secrets, settings.accounts_secret_arn, settings.account, time.time)
        if has_further_accounts
        else None,
        functions=boto3.client("lambda", config=_CLIENT_CONFIG) if has_further_accounts else None,
        ticks=TickQueue(boto3.client("sqs", config=_CLIENT_CONFIG), settings.tick_queue_url)
        if polls_within_minute
        else None,
    )


def build_dispatched_events(environ: Mapping[str, str]) -> DispatchedEvents:
    """Build the lookup of dispatched events that a backfill uses; raises SettingsError."""
    return DispatchedEvents(boto3.client("dynamodb", config=_CLIENT_CONFIG), PollSettings.read(environ).events_table)


def _poll(
    settings: PollSettings,
    secrets: SecretsManagerClient,
    dynamodb: DynamoDBClient,
    notify_refusal: Callable[[str, int, str], None],
    code_of: Callable[[str], str] = str.strip,
) -> Poll:
    """Build the poll of one account; ``code_of`` extracts the account code from the value of the secret."""
    exam_states = ExamStates(dynamodb, settings.submissions_table)
    return Poll(
        settings=settings,
        account_code=AccountCodeSecret(secrets, settings.account_code_secret_arn, time.time, code_of),
        client_for=_clients(settings, exam_states),
        exams=ExamsTable(dynamodb, settings.exams_table),
        exam_states=exam_states,
        submissions=SubmissionsTable(dynamodb, settings.submissions_table),
        endpoints=EndpointsTable(dynamodb, settings.endpoints_table).list_all,
        notify_refusal=notify_refusal,
        monitor=DispatchMonitor(
            DispatchedEvents(dynamodb, settings.events_table).among,
            partial(_order_redrive, settings.failure_queue_url),
            time.time,
        ),
        links=EventLinks(dynamodb, settings.events_table),
        now=time.time,
        sleep=time.sleep,
        writer=ThreadPoolExecutor(1),
        open_erasure_key=partial(_open_erasure_key, settings),
    )


def _open_erasure_key(settings: PollSettings, sealed: bytes) -> bytes:
    # Most accounts have no erased candidates, so build the client on demand.
    return erasure_key(_secrets_key(settings.secrets_key_arn), settings.account, sealed)


def _order_redrive(queue_url: str, since: int) -> None:
    # Few polls start a redrive, so build the client on demand.
    queue = RedriveQueue(boto3.client("sqs", config=_CLIENT_CONFIG), queue_url)
    # Start earlier, because our clock may have been set back after ``since``.
    queue.send(RedriveRequest(since - CLOCK_MARGIN_S))


@cache
def _secrets_key(key_arn: str) -> SecretsKey:
    return SecretsKey(boto3.client("kms", config=_CLIENT_CONFIG), key_arn)


def _clients(settings: PollSettings, exam_states: ExamStates) -> Callable[[AccountCode], ProviderClient]:
    """Return a function that builds one account's client for one poll."""
    # All polls of the account share the session, to reuse connections, and the pacer, to respect the rate limit.
    options: ClientOptions = {
        "session": HttpClient(),
        "pacer": Pacer(settings.requests_per_second, time.monotonic, time.sleep),
        "now": time.time,
        "sleep": time.sleep,
        "rng": random.Random(),  # noqa: S311 - jitter, not cryptography
    }

    def known() -> list[Exam]:
        return [state.exam for state in exam_states.of_account(settings.account).values()]

    memory = V1Memory(Discovery(known))

    def client_for(code: AccountCode) -> ProviderClient:
        match settings.dialect:
            case Dialect.LEGACY:
                return LegacyClient(settings.base_url, code.code, **options)
            case Dialect.V1:
                return V1Client(settings.base_url, code.code, memory=memory, **options)
            case _:
                assert_never(settings.dialect)

    return client_for


def _refusal_notice(publisher: TopicPublisher, topic_arn: str) -> Callable[[str, int, str], None]:
    def notify(account: str, since: int, message: str) -> None:
        event = operations_event(OperationsEventType.PROVIDER_REFUSED, account, since, message, {})
        publisher.publish_operations(topic_arn, event)

    return notify
