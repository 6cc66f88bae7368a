"""The simulator's control endpoint: its acts, its errors, and that its client agrees with the world."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from examhook.model import Status
from examhook_simulator.client import SimulatorControl, SimulatorControlError
from examhook_simulator.facts import AttemptCount, LedgerKind
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator(World()) as running:
        yield running


def post(simulator: Simulator, act: str, body: str, headers: dict[str, str] | None = None) -> requests.Response:
    url = f"{simulator.base_url}/_sim/{act}"
    return requests.post(url, data=body.encode(), headers=JSON if headers is None else headers, timeout=10)


def test_a_script_over_http_has_the_same_results_as_in_the_process(simulator: Simulator) -> None:
    def play(target: World | SimulatorControl) -> None:
        exam_id = target.create_exam("Fire safety", category="Safety", counts=AttemptCount.FINISHES)
        target.create_exam(available=False)
        target.populate(exam_id, 20, until=target.now() - 5)
        refs = [target.start(exam_id, name=f"Zoë {n}") for n in range(4)]
        target.advance(60)
        target.submit(refs[0], 50)
        target.time_out(refs[1])
        target.force(refs[2], 12.5)
        target.system_submit(refs[3])
        target.mark(refs[0], 90)
        target.change_status(refs[0], Status.FORCED)
        target.reopen(refs[1])
        target.remove(refs[2])
        again = target.start(exam_id, refs[0].candidate_id)
        target.close_exam(exam_id)
        target.submit(again, 100)
        target.open_exam(exam_id)
        target.set_attempt_count(AttemptCount.STARTS, exam_id)
        target.live(6)
        target.advance(3600)

    twin = World()
    play(twin)
    play(simulator.control)
    assert simulator.control.ledger() == twin.ledger() == simulator.world.ledger()
    assert simulator.control.ledger(after=50) == twin.ledger()[50:]
    assert simulator.control.truth() == twin.truth()
    exam_id = twin.ledger()[0].exam_id
    assert simulator.control.truth(exam_id) == twin.truth(exam_id)
    assert simulator.control.now() == twin.now()
    assert {entry.kind for entry in twin.ledger()} == set(LedgerKind)


def test_the_clock_can_be_started_and_stopped(simulator: Simulator) -> None:
    simulator.control.run_at(60)
    assert requests.get(f"{simulator.base_url}/_sim/clock", timeout=10).json()["speed"] == 60
    simulator.control.run_at(0)
    assert simulator.control.now() == simulator.control.now()


def test_without_a_start_time_the_candidates_latest_attempt_is_meant(simulator: Simulator) -> None:
    world = simulator.world
    first = world.start(world.create_exam())
    world.advance(5)
    second = world.start(first.exam_id, first.candidate_id)
    act = json.dumps({"exam_id": first.exam_id, "candidate_id": first.candidate_id})
    assert post(simulator, "submit", act).status_code == 200
    assert [(row.started_at, row.status) for row in world.truth()] == [(first.started_at, 0), (second.started_at, 1)]


def test_switches_are_shown_while_they_are_on(simulator: Simulator) -> None:
    simulator.control.quirk_on("server_error=503@next2", task="api.getExams")
    (switch,) = requests.get(f"{simulator.base_url}/_sim/quirks", timeout=10).json()["switches"]
    assert (switch["quirk"], switch["value"], switch["remaining"]) == ("server_error", "503", 2)
    simulator.control.quirk_off()
    assert requests.get(f"{simulator.base_url}/_sim/quirks", timeout=10).json() == {"switches": []}


@pytest.mark.parametrize(
    ("act", "body", "why"),
    [
        ("submit", '{"exam_id": "1", "candidate_id": "2", "started_at": 3}', "There is no exam 1"),
        ("submit", '{"exam_id": 1}', "exam_id is not a string"),
        ("start", "{}", "exam_id is missing"),
        ("start", "[]", "a JSON object"),
        ("start", "{", "not JSON"),
        ("create_exam", '{"titel": "x"}', "Unknown: titel"),
        ("create_exam", '{"available": 1}', "available is not true or false"),
        ("create_exam", '{"counts": "some"}', "counts is one of"),
        ("change_status", '{"exam_id": "1", "candidate_id": "2", "status": 7}', "status is 1, 2, 3 or 4"),
        ("populate", '{"exam_id": "1", "attempts": -1}', "attempts is a number from 0"),
        ("advance", '{"seconds": -1}', "cannot go back"),
        ("advance", '{"seconds": true}', "seconds is not a number"),
        ("quirk_on", '{"switch": "nonsense"}', "There is no quirk"),
        ("quirk_on", '{"switch": "bom", "task": "x"}', "no task"),
        ("quirk_off", '{"quirk": "nonsense"}', "There is no quirk"),
        ("set_limit", '{"per_second": 0}', "per_second is 1 or more"),
    ],
)
def test_an_impossible_act_is_rejected_with_a_reason_and_changes_nothing(
    simulator: Simulator, act: str, body: str, why: str
) -> None:
    answer = post(simulator, act, body)
    assert answer.status_code == 400
    assert why in answer.json()["error"]
    assert simulator.world.ledger() == ()


def test_a_bad_position_in_the_ledger_is_rejected(simulator: Simulator) -> None:
    answer = requests.get(f"{simulator.base_url}/_sim/ledger?after=x", timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"error": "after is not a whole number"})


def test_an_unknown_act_or_read_is_answered_with_the_known_ones(simulator: Simulator) -> None:
    assert "create_exam" in post(simulator, "nonsense", "{}").json()["error"]
    answer = requests.get(f"{simulator.base_url}/_sim/nonsense", timeout=10)
    assert (answer.status_code, "ledger" in answer.json()["error"]) == (404, True)


def test_a_web_page_cannot_reach_it_through_its_visitors_browser(simulator: Simulator) -> None:
    """A form cannot post JSON, and only the loopback's own names get an answer."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post(simulator, "create_exam", "{}", form).status_code == 415
    elsewhere = {"Host": f"evil.example:{simulator.server_port}"}
    assert post(simulator, "create_exam", "{}", JSON | elsewhere).status_code == 403
    assert requests.get(f"{simulator.base_url}/_sim/truth", headers=elsewhere, timeout=10).status_code == 403
    assert simulator.world.ledger() == ()


def test_only_the_control_endpoint_accepts_a_post_and_only_a_small_one(simulator: Simulator) -> None:
    assert requests.post(f"{simulator.base_url}/index.php", json={}, timeout=10).status_code == 405
    assert post(simulator, "create_exam", json.dumps({"title": "x" * 2_000_000})).status_code == 413


def test_the_client_reports_a_rejection_and_a_missing_simulator() -> None:
    with running_simulator(World()) as simulator, pytest.raises(SimulatorControlError, match="There is no exam 7"):
        simulator.control.close_exam("7")
    gone = SimulatorControl(simulator.base_url)
    with pytest.raises(SimulatorControlError, match="No simulator answers"):
        gone.now()
    gone.close()
