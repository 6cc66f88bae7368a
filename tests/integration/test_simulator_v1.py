"""The simulated v1 API behaves as the provider documents it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import requests

from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World

TIME = "1638768935"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    world = World()
    for attempts in (130, 3):
        world.populate(world.create_exam(), attempts)
    with running_simulator(world, requests_per_second=None) as running:
        yield running


def ask(simulator: Simulator, signature: str | None = None, **params: str | int) -> dict[str, object]:
    """One answer; the signature is right unless another ``signature`` is given."""
    right = hashlib.md5((TIME + simulator.code).encode(), usedforsecurity=False).hexdigest()
    answer = requests.get(
        f"{simulator.base_url}/api/v1/student/queryresults",
        params={"code": simulator.code, "time": TIME, **params},
        headers={"Authorization": right if signature is None else signature},
        timeout=10,
    )
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


def rows(answer: dict[str, object]) -> list[dict[str, object]]:
    data = answer["data"]
    assert isinstance(data, list)
    return data


def test_one_request_returns_rows_of_all_exams_with_their_number_and_values_as_text(simulator: Simulator) -> None:
    answer = ask(simulator, limit=100)
    assert (answer["status"], answer["total"], len(rows(answer))) == ("ok", 133, 100)
    assert all(isinstance(value, str) for row in rows(answer) for value in row.values())
    assert rows(answer)[0].keys() == {
        *("viewResult", "score", "passed", "status", "startTime"),
        *("endTime", "sid", "loginValue", "name", "eid"),
    }


def test_pages_follow_each_other_and_hold_a_hundred_rows_at_most(simulator: Simulator) -> None:
    pages = [rows(ask(simulator, start=start, limit=1000)) for start in (0, 100, 200)]
    assert [len(page) for page in pages] == [100, 33, 0]
    seen = {(row["eid"], row["sid"], row["startTime"]) for page in pages for row in page}
    assert seen == {(row.exam_id, row.candidate_id, str(row.started_at)) for row in simulator.world.truth()}
    assert len(rows(ask(simulator))) == 30


def test_one_exam_and_one_candidate_may_be_requested(simulator: Simulator) -> None:
    wanted = simulator.world.truth()[-1]
    of_exam = ask(simulator, eid=wanted.exam_id)
    assert of_exam["total"] == 3
    assert {row["eid"] for row in rows(of_exam)} == {wanted.exam_id}
    login = next(str(row["loginValue"]) for row in rows(of_exam) if row["sid"] == wanted.candidate_id)
    of_candidate = rows(ask(simulator, eid=wanted.exam_id, loginValues=login))
    assert {row["sid"] for row in of_candidate} == {wanted.candidate_id}


@pytest.mark.parametrize(
    ("signature", "params"),
    [
        ("", {}),
        ("0" * 32, {}),
        ("é", {}),
        (None, {"time": "1638768936"}),
        (None, {"time": "now"}),
        (None, {"code": "x"}),
    ],
)
def test_a_wrong_signature_is_rejected(simulator: Simulator, signature: str | None, params: dict[str, str]) -> None:
    answer = ask(simulator, signature, **params)
    assert answer["status"] == "error"
    assert "data" not in answer


def test_the_log_distinguishes_the_apis_and_contains_no_code(simulator: Simulator) -> None:
    ask(simulator, eid=simulator.world.truth()[0].exam_id)
    (record,) = simulator.api.requests()
    assert record.task == "v1.queryresults"
    assert simulator.code not in repr(record)
