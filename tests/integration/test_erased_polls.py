"""Polls after an erasure: what the provider still shows of the candidate is never stored nor announced again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Unpack

import boto3
import pytest
from moto import mock_aws

from examhook.destinations.secrets import SecretsKey
from examhook.detection.transition import Change
from examhook.model import Attempt
from examhook.settings import InitialSync
from examhook.storage.erasure import CandidateDeliveries, CandidateEvents, CandidateSubmissions
from examhook.storage.exams import ErasuresTable, ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from examhook.workflows.administration.erase import LONGEST_POLL_S, EraseCandidate, NoAccountDataError, PollRunsError
from examhook.workflows.administration.erasure_key import erasure_key
from examhook.workflows.polling.lease import lease_on
from tests.support.events.model_values import RowFields, submission
from tests.support.provider.memory_provider import BEGAN_AT, Stage, row
from tests.support.storage.tables import DELIVERIES, EVENTS, EXAMS, SUBMISSIONS, create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GONE, NAME = "424242", "Zebediah Quillfeather"
ANNOUNCE = InitialSync.ANNOUNCE


@dataclass
class World:
    """A stage whose candidates can be erased."""

    stage: Stage
    dynamodb: DynamoDBClient
    key: SecretsKey
    erasing: EraseCandidate

    def erase(self, candidate_id: str = GONE) -> None:
        self.erasing.run("main", candidate_id, lambda _share: None)

    def everything(self) -> str:
        """All that the tables hold, as text."""
        tables = (SUBMISSIONS, EXAMS, EVENTS, DELIVERIES)
        return json.dumps([self.dynamodb.scan(TableName=table)["Items"] for table in tables], default=repr)


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(dynamodb)
        kms = boto3.client("kms", region_name="eu-central-1")
        key_arn = kms.create_key()["KeyMetadata"]["Arn"]
        key = SecretsKey(kms, key_arn)
        stage = Stage(
            SubmissionsTable(dynamodb, SUBMISSIONS), ExamsTable(dynamodb, EXAMS), ExamStates(dynamodb, SUBMISSIONS)
        )
        stage.open_erasure_key = partial(erasure_key, SecretsKey(kms, key_arn), "main")
        clock = stage.provider

        def sleep(seconds: float) -> None:
            clock.clock += int(seconds)

        yield World(
            stage,
            dynamodb,
            key,
            EraseCandidate(
                CandidateSubmissions(dynamodb, SUBMISSIONS),
                CandidateEvents(dynamodb, EVENTS),
                CandidateDeliveries(dynamodb, DELIVERIES),
                ExamsTable(dynamodb, EXAMS),
                ExamStates(dynamodb, SUBMISSIONS),
                ErasuresTable(dynamodb, EXAMS),
                key,
                now=lambda: float(clock.clock),
                sleep=sleep,
            ),
        )


def gone(status_code: int = 1, ended_at: int | None = BEGAN_AT - 100, **facts: Unpack[RowFields]) -> Attempt:
    attempt = row(int(GONE) % 100, status_code, ended_at, **facts)
    return replace(attempt, candidate_id=GONE, candidate_name=NAME)


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("hide_status", [False, True])
def test_what_the_provider_still_shows_is_passed_over_in_silence(
    world: World,
    oldest_first: bool,  # noqa: FBT001 - a case
    hide_status: bool,  # noqa: FBT001 - a case
) -> None:
    stage, provider = world.stage, world.stage.provider
    provider.oldest_first, provider.hide_status = oldest_first, hide_status
    provider.add("7", *(row(number) for number in range(1, 8)), gone())
    assert stage.poll(initial_sync=ANNOUNCE).changes == 8
    world.erase()
    assert GONE not in world.everything()
    assert NAME not in world.everything()
    before = stage.events()
    for full in (False, True, True):
        provider.clock += 4000
        report = stage.poll(full=full)
        assert (report.changes, report.complete) == (0, True)
    provider.change("7", gone(status_code=3, score_points=Decimal(1), ended_at=BEGAN_AT + 5000))
    provider.clock += 4000
    assert stage.poll(full=True).changes == 0
    assert stage.events() == before
    assert GONE not in world.everything()
    assert NAME not in world.everything()


def test_others_are_announced_as_ever_and_no_request_is_made_in_vain(world: World) -> None:
    stage, provider = world.stage, world.stage.provider
    provider.add("7", *(row(number) for number in range(1, 4)), gone())
    stage.poll()
    world.erase()
    provider.clock += 60
    provider.add("7", row(-50, ended_at=BEGAN_AT + 50))
    assert stage.poll(manual=False).changes == 1
    assert stage.events() == ["-50 submitted"]
    provider.clock += 4000
    stage.poll(manual=False)
    provider.clock += 60
    assert stage.poll(manual=False).exams == 0, "the exam is settled: only the list is asked for"


def test_an_attempt_that_ran_when_it_was_erased_ends_in_silence(world: World) -> None:
    stage, provider = world.stage, world.stage.provider
    provider.add("7", row(1, 0), gone(0))
    stage.poll()
    world.erase()
    assert GONE not in world.everything()
    provider.clock += 60
    stage.poll()
    assert GONE not in world.everything()
    provider.change("7", gone(1, ended_at=BEGAN_AT + 90))
    provider.change("7", row(1, 1, ended_at=BEGAN_AT + 90))
    provider.clock += 60
    assert stage.poll(full=True).complete
    assert stage.events() == ["1 submitted"]
    assert GONE not in world.everything()


def test_an_attempt_that_begins_after_the_erasure_is_the_candidates_own_new_doing(world: World) -> None:
    stage, provider = world.stage, world.stage.provider
    provider.add("7", gone())
    stage.poll()
    provider.clock += 100
    world.erase()
    provider.clock += 100
    provider.add("7", replace_start(BEGAN_AT + 150))
    assert stage.poll().changes == 1
    assert stage.events() == [f"{GONE} submitted"]


def replace_start(started_at: int) -> Attempt:
    return gone(started_at=started_at, ended_at=started_at + 10)


def test_once_the_provider_forgot_the_candidate_too_no_removal_is_told(world: World) -> None:
    stage, provider = world.stage, world.stage.provider
    provider.add("7", row(1), gone())
    stage.poll()
    world.erase()
    provider.clock += 4000
    stage.poll(full=True)
    provider.rows["7"] = [row(1)]
    for _ in range(3):
        provider.clock += 4000
        assert stage.poll(full=True).changes == 0
    assert stage.events() == []


def test_an_exam_that_is_new_to_the_stack_shows_nothing_of_the_erased_either(world: World) -> None:
    stage, provider = world.stage, world.stage.provider
    provider.add("7", row(1))
    stage.poll()
    world.erase()
    provider.add("8", gone(), row(2))
    provider.clock += 60
    assert stage.poll(initial_sync=ANNOUNCE).changes == 1
    assert GONE not in world.everything()


def test_a_poll_that_cannot_open_the_key_stores_nothing(world: World) -> None:
    stage, provider = world.stage, world.stage.provider
    provider.add("7", row(1), gone())
    stage.poll()
    world.erase()

    def closed(_sealed: bytes) -> bytes:
        raise PermissionError

    stage.open_erasure_key = closed
    with pytest.raises(PermissionError):
        stage.poll(full=True)
    assert GONE not in world.everything()


def test_while_a_poll_runs_nobody_is_erased(world: World) -> None:
    world.stage.poll()
    exams, now = world.erasing.exams, world.stage.provider.clock
    exams.take_lease("main", "another", now_ms=now * 1000, expires_at_ms=(now + 10_000) * 1000)
    with pytest.raises(PollRunsError):
        world.erase()


def test_what_a_poll_stores_that_was_paused_beyond_its_lease_is_erased_too(world: World) -> None:
    """It read its state before the mark, and writes while the erasure waits for its end, which Lambda sees to."""
    world.stage.poll()
    clock, exams = world.stage.provider, world.erasing.exams
    began_at = clock.clock
    exams.take_lease("main", "paused", now_ms=began_at * 1000, expires_at_ms=(began_at + 90) * 1000)
    clock.clock += 91
    # Another poll took over meanwhile and gave the lease back.
    with lease_on(exams, "main", now=lambda: clock.clock, sleep=world.erasing.sleep) as lease:
        assert lease is not None
    late = submission(account="main", attempt=gone())
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert SubmissionsTable(world.dynamodb, SUBMISSIONS).write([Change(None, late)]) == []
        clock.clock += int(seconds)

    replace(world.erasing, sleep=sleep).run("main", GONE, lambda _share: None)
    assert clock.clock >= began_at + LONGEST_POLL_S
    assert len(waited) == 1
    assert GONE not in world.everything()
    assert NAME not in world.everything()
    # Nobody is waited for twice.
    world.erase()


def test_polls_that_gave_their_lease_back_are_not_waited_for(world: World) -> None:
    world.stage.poll()
    before = world.stage.provider.clock
    world.erase()
    assert world.stage.provider.clock == before


def test_an_account_that_nobody_knows_is_a_slip(world: World) -> None:
    world.stage.poll()
    with pytest.raises(NoAccountDataError):
        world.erasing.run("mian", GONE, lambda _share: None)
