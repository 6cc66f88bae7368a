"""Several accounts in one stack, through Poll's handler: separate invocations, codes, leases and rates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from examhook.handlers import poll as entry
from examhook.settings import Dialect, InitialSync
from examhook.storage.account_secrets import AccountsError
from examhook.wiring import poll as wiring
from examhook.workflows.polling.accounts import AccountPolls, TickError, UnknownAccountError
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World
from tests.support.cli.command_line import CREDENTIALS
from tests.support.iam.call_recorder import told
from tests.support.storage.tables import SUBMISSIONS, create_tables
from tests.support.template.poll_environment import poll_environment

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

Payload = dict[str, object]


@dataclass
class Functions:
    """Records invocations in place of Lambda's client."""

    invoked: list[tuple[str, str, Payload]] = field(default_factory=list)
    failing: str | None = None

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803 - AWS's names
        told("lambda", "Invoke", FunctionName=FunctionName)
        payload = json.loads(Payload)
        if payload["account"] == self.failing:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "slow down"}}, "Invoke")
        self.invoked.append((FunctionName, InvocationType, payload))


@dataclass
class Context:
    """Lambda's context for a function."""

    function_name: str = "poll-function"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@dataclass
class Stack:
    """Two providers, the secrets, and Poll's handler."""

    main: Simulator
    north: Simulator
    secrets: SecretsManagerClient
    code_arn: str
    list_arn: str
    functions: Functions
    monkeypatch: pytest.MonkeyPatch
    watched: AccountPolls | None = None

    def list(self, accounts: object) -> None:
        self.secrets.put_secret_value(SecretId=self.list_arn, SecretString=json.dumps(accounts))

    def deploy(self, *, more: bool = True) -> None:
        topic_arn = "arn:aws:sns:us-east-1:123456789012:operations"
        accounts_arn = self.list_arn if more else ""
        watched = wiring.build_polls(poll_environment(self.main.base_url, self.code_arn, topic_arn, accounts_arn))
        if more:
            watched.functions = cast("LambdaClient", self.functions)
        self.watched = watched
        self.monkeypatch.setattr(entry, "_accounts", lambda: watched)

    def handle(self, event: Payload) -> Mapping[str, object]:
        return entry.handler(event, Context())


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws(), running(2, "main-code") as main, running(5, "north-code") as north:
        create_tables(boto3.client("dynamodb", region_name="us-east-1"))
        secrets = boto3.client("secretsmanager", region_name="us-east-1")
        code_arn = secrets.create_secret(Name="code", SecretString="main-code")["ARN"]
        list_arn = secrets.create_secret(Name="accounts", SecretString="{}")["ARN"]
        stack = Stack(main, north, secrets, code_arn, list_arn, Functions(), monkeypatch)
        stack.deploy()
        yield stack


def running(attempts: int, code: str) -> AbstractContextManager[Simulator]:
    world = World()
    world.populate(world.create_exam(), attempts)
    return running_simulator(world, code=code, requests_per_second=None)


TICK: Payload = {"trigger": "schedule"}


def north(stack: Stack, **more: object) -> Payload:
    return {"code": "north-code", "base_url": stack.north.base_url, "requests_per_second": 10, **more}


def test_a_stack_with_one_account_starts_no_other_poll(stack: Stack) -> None:
    stack.deploy(more=False)
    assert stack.handle(TICK)["rows"] == 2
    assert stack.functions.invoked == []


def test_a_tick_polls_the_own_account_and_starts_a_poll_of_each_other(stack: Stack) -> None:
    stack.list({"north": north(stack), "south": {"code": "x"}})
    assert stack.handle(TICK)["rows"] == 2
    assert [(name, kind, payload["account"]) for name, kind, payload in stack.functions.invoked] == [
        ("poll-function", "Event", "north"),
        ("poll-function", "Event", "south"),
    ]
    assert not stack.north.api.requests()


def test_the_poll_that_a_tick_starts_for_another_account_polls_it(stack: Stack) -> None:
    stack.list({"north": north(stack)})
    stack.handle(TICK)
    ((_, _, payload),) = stack.functions.invoked
    assert stack.handle(payload)["rows"] == 5


@pytest.mark.parametrize("dialect", Dialect)
def test_an_account_is_read_with_its_own_code_from_its_own_address_by_its_own_dialect(
    stack: Stack, dialect: Dialect
) -> None:
    stack.list({"north": north(stack, dialect=dialect)})
    assert stack.handle({"trigger": "schedule", "account": "north"})["rows"] == 5
    tasks = {request.task for request in stack.north.api.requests()}
    assert tasks == ({"v1.queryresults"} if dialect is Dialect.V1 else {"api.getExams", "api.queryResults"})
    assert not stack.main.api.requests()
    assert stack.functions.invoked == []


def test_a_manual_poll_can_poll_any_account(stack: Stack) -> None:
    stack.list({"north": north(stack)})
    report = stack.handle({"trigger": "manual", "account": "north", "full": True})
    assert (report["rows"], report["complete"], report["errors"]) == (5, True, [])
    assert stack.handle({"trigger": "manual", "account": "main"})["rows"] == 2
    assert stack.handle({"trigger": "manual", "account": None, "full": True})["rows"] == 2
    assert stack.functions.invoked == []


def test_accounts_with_the_same_ids_have_separate_state(stack: Stack) -> None:
    """Both simulated providers use the same ids for their exams and candidates."""
    stack.list({"north": north(stack)})
    stack.handle(TICK)
    stack.handle({"trigger": "schedule", "account": "north"})
    items = boto3.client("dynamodb", region_name="us-east-1").scan(TableName=SUBMISSIONS)["Items"]
    by_account = [item["pk"]["S"].partition("#")[0] for item in items]
    assert (by_account.count("main"), by_account.count("north")) == (2, 5)


def test_an_account_that_was_just_added_can_be_polled_at_once(stack: Stack) -> None:
    stack.handle(TICK)
    stack.list({"north": north(stack)})
    assert stack.handle({"trigger": "manual", "account": "north"})["rows"] == 5


def test_an_unknown_account_is_rejected_with_the_known_names(stack: Stack) -> None:
    stack.list({"north": north(stack)})
    with pytest.raises(UnknownAccountError, match=r"no account of that name\. It watches main and north") as told:
        stack.handle({"trigger": "manual", "account": "west"})
    # It may be the code in the wrong place, and what a function raises is logged.
    assert "west" not in str(told.value)


def test_a_manual_poll_of_an_invalid_account_reports_why(stack: Stack) -> None:
    stack.list({"north": north(stack, dialect="v2")})
    with pytest.raises(AccountsError, match=r"Account north .* dialect is not one of"):
        stack.handle({"trigger": "manual", "account": "north"})


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ("nonsense", "is not a JSON object"),
        ({"north": {"dialect": "v1"}, "south": {"code": "x"}}, "Account north"),
    ],
)
def test_an_invalid_list_fails_the_tick_after_all_other_work(stack: Stack, accounts: object, said: str) -> None:
    stack.list(accounts)
    with pytest.raises(TickError, match=said):
        stack.handle(TICK)
    assert stack.main.api.requests()
    assert [payload["account"] for _, _, payload in stack.functions.invoked] == (
        ["south"] if said != "is not a JSON object" else []
    )


def test_an_account_whose_poll_cannot_be_started_delays_no_other(stack: Stack) -> None:
    stack.list({"north": north(stack), "south": {"code": "x"}})
    stack.functions.failing = "north"
    with pytest.raises(TickError, match="account north could not be started"):
        stack.handle(TICK)
    assert [payload["account"] for _, _, payload in stack.functions.invoked] == ["south"]
    assert stack.main.api.requests()


def test_an_account_inherits_unset_settings_from_the_stack(stack: Stack) -> None:
    stack.list({"north": north(stack, requests_per_second=2.5), "south": {"code": "x", "initial_sync": "announce"}})
    assert stack.watched is not None
    first, second = stack.watched.of("north").settings, stack.watched.of("south").settings
    assert (first.requests_per_second, first.initial_sync) == (2.5, InitialSync.SILENT)
    assert (second.requests_per_second, second.initial_sync) == (10, InitialSync.ANNOUNCE)


def test_a_poll_object_is_reused_until_its_account_changes(stack: Stack) -> None:
    """It holds the rate limit, which a new object would exceed; a new code alone needs no new object."""
    assert stack.watched is not None
    assert stack.watched.secret is not None
    kept = []
    for more in ({}, {"code": "new"}, {"requests_per_second": 1}):
        stack.list({"north": north(stack, **more)})
        stack.watched.secret.read(fresh=True)
        kept.append(stack.watched.of("north"))
    assert kept[0] is kept[1]
    assert kept[1] is not kept[2]
