"""The v1 client finds every exam and reads every row of the simulated provider over real sockets."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from examhook.detection.reader import Reader
from examhook.http.client import HttpClient
from examhook.model import Attempt, Exam
from examhook.provider.api_client import ClientOptions
from examhook.provider.discovery import Discovery
from examhook.provider.errors import ProviderMalformed, ProviderRefused, ProviderRejected, ProviderThrottled
from examhook.provider.legacy import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.provider.port import ProviderClient
from examhook.provider.v1 import V1Client, V1Memory
from examhook_simulator.facts import AttemptRef
from examhook_simulator.quirks import Switch
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World

Facts = set[tuple[str, int, int, int | None, Decimal]]


@dataclass
class Stand:
    """A simulator, and what a process knows about its account."""

    simulator: Simulator
    session: HttpClient
    known: list[Exam] = field(default_factory=list)
    memory: V1Memory = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start a new process, which knows only the stored state."""
        self.memory = V1Memory(Discovery(lambda: self.known))

    @property
    def options(self) -> ClientOptions:
        return {
            "session": self.session,
            "pacer": Pacer(10_000, time.monotonic, time.sleep),
            "now": time.time,
            "sleep": lambda _: None,
            "rng": random.Random(1),
        }

    def client(self, code: str | None = None) -> V1Client:
        return V1Client(self.simulator.base_url, code or self.simulator.code, memory=self.memory, **self.options)

    def look(self) -> tuple[dict[str, int | None], int]:
        """The listing of a poll, and its number of requests."""
        client = self.client()
        reader = Reader(client.exams, lambda exam: exam.exam_id)
        exams = [exam for rows in reader.pages() for exam in rows]
        assert reader.problem is None
        return {exam.exam_id: exam.attempt_count for exam in exams}, client.requests_made

    def quirk(self, switch: str) -> None:
        self.simulator.api.quirks.turn_on(Switch.parse(switch))

    def counts(self) -> dict[str, int]:
        """Number of rows of each exam that has any."""
        found: dict[str, int] = {}
        for row in self.simulator.world.truth():
            found[row.exam_id] = found.get(row.exam_id, 0) + 1
        return found

    def truth(self, exam_id: str) -> Facts:
        return {
            (row.candidate_id, row.started_at, row.status, row.ended_at, Decimal(str(row.score)))
            for row in self.simulator.world.truth(exam_id)
        }


@pytest.fixture
def stand() -> Iterator[Stand]:
    world = World()
    for attempts in (230, 40, 1):
        world.populate(world.create_exam(), attempts)
    with running_simulator(world, requests_per_second=None) as simulator:
        session = HttpClient()
        yield Stand(simulator, session)
        session.close()


def facts(rows: tuple[Attempt, ...]) -> Facts:
    return {
        (row.candidate_id, row.started_at, row.status_code, row.ended_at, row.score_points or Decimal(0))
        for row in rows
    }


ORDERS = ("newest", "oldest", "candidate")


def test_the_client_implements_the_products_port(stand: Stand) -> None:
    client: ProviderClient = stand.client()
    page = client.exams(0, 30)
    assert page.problem is None
    assert {exam.title for exam in page.rows} == {exam.exam_id for exam in page.rows}
    assert {exam.available for exam in page.rows} == {None}


@pytest.mark.parametrize("order", ORDERS)
def test_every_exam_is_found_with_as_many_attempts_as_it_has_rows(stand: Stand, order: str) -> None:
    stand.quirk(f"row_order={order}")
    found, _ = stand.look()
    assert found == stand.counts()


@pytest.mark.parametrize("order", ORDERS)
def test_one_request_proves_that_no_row_was_added(stand: Stand, order: str) -> None:
    stand.quirk(f"row_order={order}")
    stand.look()
    assert stand.look() == (stand.counts(), 1)


@pytest.mark.parametrize("order", ORDERS)
def test_new_rows_change_only_the_counts_of_their_exams(stand: Stand, order: str) -> None:
    """If new rows are at an end of the list, at most their exams are counted; otherwise all three are."""
    stand.quirk(f"row_order={order}")
    stand.look()
    world = stand.simulator.world
    first, second, _ = stand.counts()
    for exam_id in (first, first, second):
        world.advance(10)
        world.start(exam_id)
    found, requests = stand.look()
    assert found == stand.counts()
    assert requests <= {"newest": 1, "oldest": 4, "candidate": 6}[order]
    assert stand.look() == (stand.counts(), 1)


@pytest.mark.parametrize("order", ORDERS)
def test_a_new_exam_is_found_by_its_first_row(stand: Stand, order: str) -> None:
    stand.quirk(f"row_order={order}")
    stand.look()
    world = stand.simulator.world
    world.start(world.create_exam())
    found, _ = stand.look()
    assert found == stand.counts()
    assert len(found) == 4


def test_removed_rows_lower_the_count(stand: Stand) -> None:
    stand.look()
    world = stand.simulator.world
    gone = world.truth()[5]
    world.remove(AttemptRef(gone.exam_id, gone.candidate_id, gone.started_at))
    assert stand.look()[0] == stand.counts()


def test_a_new_process_needs_one_request_if_the_stored_counts_add_up(stand: Stand) -> None:
    found, _ = stand.look()
    stand.known = [
        Exam(exam_id, f"Exam {exam_id}", available=True, attempt_count=count) for exam_id, count in found.items()
    ]
    stand.restart()
    assert stand.look() == (stand.counts(), 1)
    assert {exam.title for exam in stand.client().exams(0, 30).rows} == {exam.title for exam in stand.known}


def test_a_new_process_counts_again_if_the_stored_counts_are_old(stand: Stand) -> None:
    stand.known = [Exam(exam_id, "", available=True, attempt_count=1) for exam_id in stand.counts()]
    stand.restart()
    assert stand.look()[0] == stand.counts()


def test_a_deleted_exam_is_no_longer_listed(stand: Stand) -> None:
    stand.known = [Exam("1", "Gone", available=True, attempt_count=7)]
    stand.restart()
    assert stand.look()[0] == stand.counts()


@pytest.mark.parametrize(
    "switch", ["limit_cap=40", "row_order=oldest", "php_notices", "bom", "raw_unicode", "unreadable_row=2@next1"]
)
def test_all_pages_of_an_exam_hold_every_row(stand: Stand, switch: str) -> None:
    stand.quirk(switch)
    client = stand.client()
    for exam_id in stand.counts():
        reader = Reader(lambda start, limit: client.results(exam_id, start, limit), lambda row: row.key)  # noqa: B023 - read at once
        found = facts(tuple(row for rows in reader.pages() for row in rows))
        assert found <= stand.truth(exam_id)
        assert len(found) + reader.unreadable.total() >= len(stand.truth(exam_id))
        assert reader.problem is None


def test_both_dialects_show_the_same_attempts(stand: Stand) -> None:
    """An account that changes its dialect keeps its submissions and event ids."""
    legacy, v1 = LegacyClient(stand.simulator.base_url, stand.simulator.code, **stand.options), stand.client()
    for exam_id in stand.counts():
        rows = {row.key: row for row in v1.results(exam_id, 0, 100).rows}
        for row in legacy.results(exam_id, 0, 100).rows:
            assert facts((rows[row.key],)) == facts((row,))
            assert rows[row.key].candidate_name == row.candidate_name


def test_a_candidate_with_a_running_attempt_is_requested_by_login(stand: Stand) -> None:
    world = stand.simulator.world
    exam_id = next(iter(stand.counts()))
    running = world.start(exam_id)
    stand.client().exams(0, 100)
    world.advance(60)
    world.submit(running, 88)
    client = stand.client()
    page = client.results(exam_id, 0, 100, running.candidate_id)
    assert [(row.candidate_id, row.status_code, row.score_points) for row in page.rows] == [
        (running.candidate_id, 1, Decimal(88))
    ]
    assert client.requests_made == 1


def test_a_candidate_whose_login_is_unknown_is_found_among_all(stand: Stand) -> None:
    exam_id = max(stand.counts(), key=lambda exam_id: stand.counts()[exam_id])
    wanted = stand.simulator.world.truth(exam_id)[17]
    rows = stand.client().results(exam_id, 0, 100, wanted.candidate_id).rows
    assert facts(rows) == {row for row in stand.truth(exam_id) if row[0] == wanted.candidate_id}


def test_a_wrong_code_is_refused(stand: Stand) -> None:
    with pytest.raises(ProviderRefused):
        stand.client("another").exams(0, 30)


def test_an_exam_that_does_not_exist_is_rejected(stand: Stand) -> None:
    with pytest.raises(ProviderRejected):
        stand.client().results("999999999", 0, 30)


@pytest.mark.parametrize(
    ("switch", "kind"),
    [("html_page", ProviderMalformed), ("cut_body", ProviderMalformed), ("throttled=0", ProviderThrottled)],
)
def test_a_failure_is_reported_and_keeps_the_known_exams(stand: Stand, switch: str, kind: type[Exception]) -> None:
    stand.look()
    world = stand.simulator.world
    world.start(next(iter(stand.counts())))
    stand.quirk(switch)
    with pytest.raises(kind):
        stand.client().exams(0, 30)
    stand.simulator.api.quirks.turn_off()
    assert stand.look()[0] == stand.counts()
