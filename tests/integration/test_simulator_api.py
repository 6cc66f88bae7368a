"""The simulated provider on real sockets, without quirks, behaves as the provider's page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from examhook_simulator.server import running_simulator
from examhook_simulator.world import World
from tests.support.provider.simulator_client import EXAMS, RESULTS, Asking

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"
LONG_NAME = "محمد 👩🏽‍🚀 王小明 e\u0301"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def asking(world: World) -> Iterator[Asking]:
    with running_simulator(world, requests_per_second=None) as simulator, requests.Session() as session:
        yield Asking(simulator, session)


def test_an_exam_has_the_documented_fields(world: World, asking: Asking) -> None:
    exam_id = world.create_exam("Prüfung / 考试", category="Safety")
    world.populate(exam_id, 3)
    (exam,) = asking.exams()
    base_url = asking.simulator.base_url
    assert exam == {
        "eid": int(exam_id),
        "title": "Prüfung / 考试",
        "img": f"{base_url}/images/{exam_id}.jpg",
        "url": f"{base_url}/{exam_id}",
        "createTime": world.now(),
        "available": 1,
        "times": 3,
        "category": "Safety",
    }
    world.close_exam(exam_id)
    assert asking.exams()[0]["available"] == 0


def test_a_row_has_the_documented_fields_and_no_others(world: World, asking: Asking) -> None:
    ref = world.start(world.create_exam(), name=LONG_NAME)
    (open_row,) = asking.rows(ref.exam_id)
    assert (open_row["status"], open_row["endTime"], open_row["score"]) == (0, 0, 0)
    world.advance(77)
    world.submit(ref, 32.5)
    (row,) = asking.rows(ref.exam_id)
    assert str(row.pop("viewResult")).startswith(f"{asking.simulator.base_url}/viewresult/")
    assert row == {
        "score": 32.5,
        "startTime": ref.started_at,
        "endTime": ref.started_at + 77,
        "status": 1,
        "sid": int(ref.candidate_id),
        "name": LONG_NAME,
    }


def test_bodies_look_like_php_wrote_them(world: World, asking: Asking) -> None:
    world.create_exam("考/试")
    body = asking.ask(EXAMS).content
    assert b'"title":"\\u8003\\/\\u8bd5"' in body
    assert body.startswith(b'[{"eid":')


@pytest.mark.parametrize("task", [EXAMS, RESULTS])
def test_pages_have_thirty_rows_by_default_and_the_last_is_empty(task: str, world: World, asking: Asking) -> None:
    for _ in range(70):
        exam_id = world.create_exam()
    world.populate(exam_id, 70)
    sizes = [len(asking.ask(task, eid=exam_id, start=start).json()) for start in (0, 30, 60, 90)]
    assert sizes == [30, 30, 10, 0]
    assert len(asking.ask(task, eid=exam_id, limit=100).json()) == 70
    assert len(asking.ask(task, eid=exam_id, limit="x", start="y").json()) == 30


def test_rows_and_exams_are_newest_first(world: World, asking: Asking) -> None:
    exams = [world.create_exam() for _ in range(3)]
    assert [str(exam["eid"]) for exam in asking.exams()] == exams[::-1]
    world.populate(exams[0], 40)
    starts = [row["startTime"] for row in asking.rows(exams[0], limit=100)]
    assert starts == sorted((row.started_at for row in world.truth()), reverse=True)


def test_one_candidate_is_requested_by_sid_and_sid_zero_means_all(world: World, asking: Asking) -> None:
    exam_id = world.create_exam()
    world.populate(exam_id, 5)
    first = world.start(exam_id)
    world.advance(60)
    world.start(exam_id, first.candidate_id)
    own = asking.rows(exam_id, sid=first.candidate_id)
    assert [row["startTime"] for row in own] == [first.started_at + 60, first.started_at]
    assert asking.rows(exam_id, sid=first.candidate_id, start=1) != own
    assert asking.rows(exam_id, sid=1) == []
    assert len(asking.rows(exam_id, sid=0)) == 7


@pytest.mark.parametrize(
    "params",
    [
        {"task": EXAMS, "code": "wrong"},
        {"task": EXAMS, "code": ""},
        {"task": RESULTS, "eid": "1"},
        {"task": RESULTS},
        {"task": "api.nonsense"},
    ],
)
def test_an_impossible_request_gets_an_error_object_with_status_200(params: dict[str, str], asking: Asking) -> None:
    answer = asking.send(params)
    assert answer.status_code == 200
    assert answer.json().keys() == {"status", "error"}
    assert answer.json()["status"] == "error"


def test_the_date_header_is_the_virtual_clock(world: World, asking: Asking) -> None:
    world.advance(12_345)
    assert parsedate_to_datetime(asking.ask(EXAMS).headers["Date"]).timestamp() == world.now()


def test_a_result_link_differs_at_every_request_and_dies_after_thirty_minutes(world: World, asking: Asking) -> None:
    exam_id = world.create_exam()
    world.populate(exam_id, 2)
    links = [str(row["viewResult"]) for _ in range(2) for row in asking.rows(exam_id)]
    assert len(set(links)) == 4
    world.advance(1800)
    assert [requests.get(link, timeout=10).status_code for link in links] == [200] * 4
    world.advance(1)
    assert [requests.get(link, timeout=10).status_code for link in links] == [410] * 4


def test_the_eleventh_request_within_a_second_is_rejected() -> None:
    elapsed_s = [0.0]
    with running_simulator(World(), elapsed_s=lambda: elapsed_s[0]) as simulator, requests.Session() as session:
        asking = Asking(simulator, session)
        answers = [asking.ask(EXAMS) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
        assert answers[-1].headers["Retry-After"] == "1"
        figures = simulator.control.limit()
        assert (figures.per_second, figures.refused, figures.most_in_a_second) == (10, 2, 12)
        elapsed_s[0] += 1
        assert asking.ask(EXAMS).status_code == 200
        simulator.control.set_limit(1)
        elapsed_s[0] += 1
        assert [asking.ask(EXAMS).status_code for _ in range(2)] == [200, 429]


def test_the_log_of_requests_leaves_out_the_code(world: World, asking: Asking) -> None:
    exam_id = world.create_exam()
    world.populate(exam_id, 3)
    asking.ask(RESULTS, eid=exam_id, start=1)
    asking.ask(EXAMS, code="wrong-code")
    first, second = asking.simulator.control.requests()
    assert (first.task, first.http_status, first.rows) == (RESULTS, 200, 2)
    assert first.params == {"option": "com_exams", "format": "raw", "eid": exam_id, "start": "1"}
    assert (second.n, second.rows) == (2, 0)
    assert (first.refused, second.refused) == (False, True)
    assert asking.simulator.control.requests(after=1) == (second,)
    log = requests.get(f"{asking.simulator.base_url}/_sim/requests", timeout=10).text
    assert "wrong-code" not in log
    assert asking.simulator.code not in log


def played(seed: int) -> tuple[object, list[bytes]]:
    """Ledger and bodies of one script played over real sockets."""
    world = World(seed)
    bodies: list[bytes] = []
    with running_simulator(world, links_url="http://links", requests_per_second=None) as simulator:
        with requests.Session() as session:
            asking, control = Asking(simulator, session), simulator.control
            exam_id = control.create_exam()
            control.populate(exam_id, 50)
            control.live(20)
            control.quirk_on("row_order=shuffled")
            control.quirk_on("php_notices@0.3")
            control.quirk_on("unreadable_row=3@0.5")
            control.quirk_on("cut_body@0.2")
            for _ in range(20):
                control.advance(60)
                bodies += [asking.ask(EXAMS).content, asking.ask(RESULTS, eid=exam_id).content]
        return control.ledger(), bodies


def test_the_same_seed_and_script_give_the_same_ledger_and_the_same_bytes() -> None:
    first, again, other = played(7), played(7), played(8)
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_the_simulator_frees_its_port_and_ends_open_connections_when_it_stops(world: World) -> None:
    with running_simulator(world) as simulator, requests.Session() as session:
        port = simulator.server_port
        Asking(simulator, session).ask(EXAMS)
        with running_simulator(world) as other:
            assert other.server_port != port
    with running_simulator(world, port) as again, requests.Session() as session:
        assert Asking(again, session).ask(EXAMS).status_code == 200


@pytest.mark.parametrize(("place", "prints"), [(0, "http://127.0.0.1:"), (1, "200 ")])
def test_an_example_on_the_simulators_page_runs(place: int, prints: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(examples) == 2
    exec(compile(examples[place], str(PAGE), "exec"), {})  # noqa: S102 - our own page
    assert prints in capsys.readouterr().out
