"""Client and simulator verify each other: the client reads exactly the simulator's truth."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from examhook.http.client import HttpClient
from examhook.model import Attempt
from examhook.provider.errors import ProviderError, ProviderRefused
from examhook.provider.legacy import LegacyClient
from examhook.provider.pacing import Pacer
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World

PAGE = 30
READABLE = (
    "numbers_as_strings",
    "bare_candidate",
    "tid_and_passed",
    "raw_unicode",
    "bom",
    "php_notices",
    "limit_cap=7",
    "row_order=oldest",
    "row_order=candidate",
)
"""Quirks that take nothing from what the answers say."""

PASSING = (
    "server_error@next2",
    "throttled=1@next2",
    "reset@next2",
    "html_page@next2",
    "cut_connection@next2",
    "empty_body@next2",
)
"""Accidents that are over by the third attempt."""


class Time:
    """Time that advances only by sleeping."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@contextmanager
def reading(simulator: Simulator, code: str | None = None) -> Iterator[LegacyClient]:
    clock, session = Time(simulator.world.now()), HttpClient()
    client = LegacyClient(
        simulator.base_url,
        simulator.code if code is None else code,
        session=session,
        pacer=Pacer(5, clock.now, clock.sleep),
        now=clock.now,
        sleep=clock.sleep,
        rng=random.Random(1),
    )
    try:
        yield client
    finally:
        session.close()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    world = World()
    exam_id = world.create_exam()
    world.populate(exam_id, 64)
    world.start(exam_id, name="Zoe\u0308 / 王小明 🦊")
    with running_simulator(world, requests_per_second=None) as running:
        yield running


def read_whole(client: LegacyClient, exam_id: str) -> list[Attempt]:
    attempts: list[Attempt] = []
    while True:
        page = client.results(exam_id, len(attempts), PAGE)
        assert not page.unreadable
        if not page.row_count:
            return attempts
        attempts += page.rows


def assert_reads_the_truth(simulator: Simulator) -> None:
    (exam_id,) = {row.exam_id for row in simulator.world.truth()}
    with reading(simulator) as client:
        (exam,) = client.exams(0, PAGE).rows
        attempts = read_whole(client, exam_id)
        one = client.results(exam_id, 0, PAGE, attempts[0].candidate_id).rows
    assert (exam.exam_id, exam.attempt_count) == (exam_id, 65)
    told = {
        (a.candidate_id, a.started_at, a.candidate_name, a.status_code, a.ended_at, a.score_points) for a in attempts
    }
    assert told == {
        (row.candidate_id, row.started_at, row.name, row.status, row.ended_at, Decimal(str(row.score)))
        for row in simulator.world.truth()
    }
    assert len(attempts) == 65
    assert attempts[0].key in {attempt.key for attempt in one}


@pytest.mark.parametrize("switch", READABLE)
def test_the_client_reads_the_truth_from_any_form_of_answer(switch: str, simulator: Simulator) -> None:
    simulator.control.quirk_on(switch)
    assert_reads_the_truth(simulator)


def test_the_client_reads_the_truth_with_all_quirks_at_once(simulator: Simulator) -> None:
    for switch in READABLE:
        simulator.control.quirk_on(switch)
    assert_reads_the_truth(simulator)


@pytest.mark.parametrize("switch", PASSING)
def test_the_client_survives_temporary_failures(switch: str, simulator: Simulator) -> None:
    simulator.control.quirk_on(switch)
    assert_reads_the_truth(simulator)
    statuses = [record.quirks for record in simulator.api.requests()]
    assert sum(bool(quirks) for quirks in statuses) == 2


def test_the_client_sees_how_far_the_virtual_clock_is_ahead(simulator: Simulator) -> None:
    with reading(simulator) as client:
        client.exams(0, PAGE)
        assert client.clock_offset_s == 0
    with reading(simulator) as client:
        simulator.world.advance(1234)
        client.exams(0, PAGE)
        assert client.clock_offset_s == 1234


def test_a_wrong_code_is_refused_after_at_most_two_requests(simulator: Simulator) -> None:
    with reading(simulator, "wrong") as client, pytest.raises(ProviderRefused):
        client.exams(0, PAGE)
    assert len(simulator.api.requests()) <= 2


def test_unreadable_rows_are_counted_and_the_others_read(simulator: Simulator) -> None:
    simulator.control.quirk_on("unreadable_row=3")
    (exam_id,) = {row.exam_id for row in simulator.world.truth()}
    with reading(simulator) as client:
        page = client.results(exam_id, 0, 100)
    assert (page.row_count, len(page.unreadable), len(page.rows)) == (65, 3, 62)


def test_a_provider_that_stays_down_is_a_temporary_error(simulator: Simulator) -> None:
    simulator.control.quirk_on("server_error=503")
    with reading(simulator) as client, pytest.raises(ProviderError) as caught:
        client.exams(0, PAGE)
    assert caught.value.retryable
