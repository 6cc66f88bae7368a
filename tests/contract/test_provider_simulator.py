"""What the product relies on the client for, against the simulated provider over real sockets."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from examhook.detection.reader import Reader
from examhook.http.client import HttpClient
from examhook.model import Attempt
from examhook.provider.errors import (
    ProviderError,
    ProviderMalformed,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)
from examhook.provider.legacy import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.provider.port import NO_STATUS, ProviderClient
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World

ATTEMPTS = 25


@dataclass
class Stand:
    """A simulator with one exam of 25 attempts, and a client of it."""

    simulator: Simulator
    session: HttpClient
    exam_id: str

    def client(self, requests_per_second: float = 1000) -> LegacyClient:
        return LegacyClient(
            self.simulator.base_url,
            self.simulator.code,
            session=self.session,
            pacer=Pacer(requests_per_second, time.monotonic, time.sleep),
            now=time.time,
            sleep=lambda _: None,
            rng=random.Random(1),
            request_deadline_s=1.0,
        )

    def quirk(self, switch: str) -> None:
        self.simulator.control.quirk_on(switch)

    def truth(self) -> set[tuple[str, int, int, int | None, Decimal | None]]:
        """The rows that there are."""
        return {
            (
                str(row.candidate_id),
                row.started_at,
                row.status,
                row.ended_at,
                Decimal(str(row.score)),
            )
            for row in self.simulator.control.truth(self.exam_id)
        }


@pytest.fixture
def stand() -> Iterator[Stand]:
    with running_simulator(World(), requests_per_second=None) as simulator:
        exam_id = simulator.world.create_exam("Prüfung / test")
        simulator.world.populate(exam_id, ATTEMPTS)
        session = HttpClient()
        yield Stand(simulator, session, exam_id)
        session.close()


def facts(rows: tuple[Attempt, ...]) -> set[tuple[str, int, int, int | None, Decimal | None]]:
    return {(row.candidate_id, row.started_at, row.status_code, row.ended_at, row.score_points) for row in rows}


def test_the_client_is_what_the_product_asks_for(stand: Stand) -> None:
    client: ProviderClient = stand.client()
    (exam,) = client.exams(0, 30).rows
    assert (exam.exam_id, exam.title, exam.available, exam.attempt_count) == (
        stand.exam_id, "Prüfung / test", True, ATTEMPTS,
    )  # fmt: skip
    assert client.requests_made == 1


@pytest.mark.parametrize("switch", ["limit_cap=4", "ignore_start", "row_order=oldest", "php_notices"])
def test_all_pages_hold_every_row(stand: Stand, switch: str) -> None:
    stand.quirk(switch)
    client = stand.client()
    reader = Reader(
        lambda start, limit: client.results(stand.exam_id, start, limit), lambda row: row.key, limits=(10, 9, 8)
    )
    assert facts(tuple(row for rows in reader.pages() for row in rows)) == stand.truth()
    assert reader.problem is None


def test_rows_without_status_get_one_when_the_candidate_is_asked_for_alone(stand: Stand) -> None:
    stand.quirk("no_status_in_lists")
    stand.quirk("bare_candidate")
    client = stand.client()
    page = client.results(stand.exam_id, 0, 100)
    assert [row.status_code for row in page.rows] == [NO_STATUS] * ATTEMPTS
    asked = [client.results(stand.exam_id, 0, 100, row.candidate_id).rows for row in page.rows]
    assert facts(tuple(row for rows in asked for row in rows)) == stand.truth()


@pytest.mark.parametrize(
    ("switch", "kind"),
    [
        ("html_page", ProviderMalformed),
        ("empty_body", ProviderMalformed),
        ("cut_body", ProviderMalformed),
        ("cut_connection", ProviderMalformed),
        ("server_error=502", ProviderUnavailable),
        ("reset", ProviderUnavailable),
        ("hang=30", ProviderUnavailable),
        ("throttled=0", ProviderThrottled),
        ("error_object", ProviderUnavailable),
    ],
)
def test_trouble_is_asked_about_again_and_then_told(stand: Stand, switch: str, kind: type[ProviderError]) -> None:
    """``error_object`` says "please try again later": it is no refusal."""
    stand.quirk(switch)
    client = stand.client()
    with pytest.raises(kind):
        client.exams(0, 30)
    assert client.requests_made == 3


def test_an_exam_that_is_gone_is_rejected(stand: Stand) -> None:
    with pytest.raises(ProviderRejected):
        stand.client().results("999999999", 0, 30)


def test_the_provider_never_sees_more_than_the_pace(stand: Stand) -> None:
    """Counted where the requests arrive, a new connection and kept ones among them."""
    client = stand.client(requests_per_second=10)
    for _ in range(25):
        client.exams(0, 30)
    assert stand.simulator.control.limit().most_in_a_second <= 10
