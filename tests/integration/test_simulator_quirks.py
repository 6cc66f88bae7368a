"""Every quirk of the simulated provider, seen from the other end of a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import requests
from simulated import EXAMS, RESULTS, Asking

from examhook_cli.simulator.facts import AttemptRef
from examhook_cli.simulator.quirks import Quirk
from examhook_cli.simulator.server import running_simulator
from examhook_cli.simulator.world import World

ROWS = 40


class Stand:
    """A simulator with one exam of 40 attempts, and a session to ask it."""

    def __init__(self, asking: Asking) -> None:
        self.world = asking.simulator.world
        self.exam_id = self.world.create_exam("考试 / test")
        self.refs = self.world.populate(self.exam_id, ROWS)
        self.switch_on = asking.simulator.control.quirk_on
        self.asking = asking

    def ask(self, task: str = RESULTS, *, timeout_s: float = 10, **params: str | int) -> requests.Response:
        return self.asking.ask(task, timeout_s=timeout_s, **{"eid": self.exam_id, "limit": 100, **params})

    def rows(self, **params: str | int) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = self.ask(**params).json()
        return rows

    def keys(self, **params: str | int) -> list[tuple[object, object]]:
        return [(row["startTime"], row["sid"]) for row in self.rows(**params)]


@pytest.fixture
def stand() -> Iterator[Stand]:
    with running_simulator(World(), requests_per_second=None) as simulator, requests.Session() as session:
        yield Stand(Asking(simulator, session))


def numbers_as_strings(stand: Stand) -> None:
    plain = stand.rows()
    stand.switch_on("numbers_as_strings")
    for before, row in zip(plain, stand.rows(), strict=True):
        assert all(isinstance(cell, str) for cell in row.values())
        assert [row[name] for name in ("startTime", "sid", "score")] == [
            str(before[name]) for name in ("startTime", "sid", "score")
        ]
    assert stand.ask(EXAMS).json()[0]["eid"] == stand.exam_id


def absent_fields(stand: Stand) -> None:
    stand.switch_on("absent_fields=score,viewResult")
    assert all(row.keys() == {"startTime", "endTime", "status", "sid", "name"} for row in stand.rows())
    stand.switch_on("absent_fields")
    assert all(row.keys() == {"viewResult", "score", "startTime", "status", "sid"} for row in stand.rows())


def no_status_in_lists(stand: Stand) -> None:
    stand.switch_on("no_status_in_lists")
    assert not any("status" in row for row in stand.rows())
    assert all("status" in row for row in stand.rows(sid=stand.refs[0].candidate_id))


def bare_candidate(stand: Stand) -> None:
    stand.switch_on("bare_candidate")
    assert all(row.keys().isdisjoint({"sid", "name"}) for row in stand.rows(sid=stand.refs[0].candidate_id))
    assert all({"sid", "name"} <= row.keys() for row in stand.rows())


def tid_and_passed(stand: Stand) -> None:
    stand.switch_on("tid_and_passed")
    passed = {(row.started_at, int(row.candidate_id)): row.passed for row in stand.world.truth()}
    rows = stand.rows()
    assert {(row["startTime"], row["sid"]): bool(row["passed"]) for row in rows} == passed
    assert len({row["tid"] for row in rows}) == ROWS


def unreadable_row(stand: Stand) -> None:
    good = stand.keys()
    stand.switch_on("unreadable_row=4")
    damaged: list[object] = stand.ask().json()
    readable = [
        row
        for row in damaged
        if isinstance(row, dict) and isinstance(row["startTime"], int) and isinstance(row["status"], int)
    ]
    assert len(damaged) == ROWS
    assert len(readable) == ROWS - 4
    assert {(row["startTime"], row["sid"]) for row in readable} < set(good)


def raw_unicode(stand: Stand) -> None:
    stand.switch_on("raw_unicode")
    assert '"title":"考试 \\/ test"'.encode() in stand.ask(EXAMS).content


def bom(stand: Stand) -> None:
    stand.switch_on("bom")
    assert stand.ask().content.startswith(b"\xef\xbb\xbf[{")


def php_notices(stand: Stand) -> None:
    stand.switch_on("php_notices")
    body = stand.ask().content
    notices, _, array = body.partition(b'[{"')
    assert b"Notice" in notices
    assert b"[limit]" in notices
    assert len(json.loads(b'[{"' + array)) == ROWS


def html_page(stand: Stand) -> None:
    stand.switch_on("html_page")
    answer = stand.ask()
    assert (answer.status_code, answer.content[:9]) == (200, b"<!DOCTYPE")


def error_object(stand: Stand) -> None:
    stand.switch_on("error_object")
    answer = stand.ask()
    assert (answer.status_code, answer.json()["status"]) == (200, "error")


def empty_list(stand: Stand) -> None:
    stand.switch_on("empty_list")
    assert (stand.ask().content, stand.ask(EXAMS).content) == (b"[]", b"[]")


def empty_body(stand: Stand) -> None:
    stand.switch_on("empty_body")
    answer = stand.ask()
    assert (answer.status_code, answer.content) == (200, b"")


def cut_body(stand: Stand) -> None:
    stand.switch_on("cut_body")
    answer = stand.ask()
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def cut_connection(stand: Stand) -> None:
    stand.switch_on("cut_connection")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        stand.ask()


def server_error(stand: Stand) -> None:
    stand.switch_on("server_error")
    assert stand.ask().status_code == 500
    stand.switch_on("server_error=503")
    assert stand.ask().status_code == 503


def throttled(stand: Stand) -> None:
    stand.switch_on("throttled=17")
    answer = stand.ask()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "17")


def reset(stand: Stand) -> None:
    stand.switch_on("reset@next1")
    with pytest.raises(requests.ConnectionError, match="ConnectionResetError"):
        stand.ask()
    assert len(stand.rows()) == ROWS


def slow(stand: Stand) -> None:
    stand.switch_on("slow=0.3")
    with pytest.raises(requests.ReadTimeout):
        stand.ask(timeout_s=0.05)
    assert len(stand.rows()) == ROWS


def hang(stand: Stand) -> None:
    stand.switch_on("hang=0.1")
    with pytest.raises(requests.ConnectionError, match="without response"):
        stand.ask()


def limit_cap(stand: Stand) -> None:
    whole = stand.keys()
    stand.switch_on("limit_cap=7")
    assert stand.keys(limit=30) == whole[:7]
    assert stand.keys(limit=30, start=7) == whole[7:14]
    assert len(stand.rows(limit=3)) == 3


def ignore_start(stand: Stand) -> None:
    stand.switch_on("ignore_start")
    assert stand.keys(start=0, limit=10) == stand.keys(start=30, limit=10)


def row_order(stand: Stand) -> None:
    newest = stand.keys()
    stand.switch_on("row_order=oldest")
    assert stand.keys() == sorted(newest)
    stand.switch_on("row_order=candidate")
    assert stand.keys() == sorted(newest, key=lambda key: (key[1], key[0]))
    stand.switch_on("row_order=shuffled")
    first, second = stand.keys(), stand.keys()
    assert first != second
    assert sorted(first) == sorted(second) == sorted(newest)


PROOFS: dict[Quirk, Callable[[Stand], None]] = {
    Quirk.NUMBERS_AS_STRINGS: numbers_as_strings,
    Quirk.ABSENT_FIELDS: absent_fields,
    Quirk.NO_STATUS_IN_LISTS: no_status_in_lists,
    Quirk.BARE_CANDIDATE: bare_candidate,
    Quirk.TID_AND_PASSED: tid_and_passed,
    Quirk.UNREADABLE_ROW: unreadable_row,
    Quirk.RAW_UNICODE: raw_unicode,
    Quirk.BOM: bom,
    Quirk.PHP_NOTICES: php_notices,
    Quirk.HTML_PAGE: html_page,
    Quirk.ERROR_OBJECT: error_object,
    Quirk.EMPTY_LIST: empty_list,
    Quirk.EMPTY_BODY: empty_body,
    Quirk.CUT_BODY: cut_body,
    Quirk.CUT_CONNECTION: cut_connection,
    Quirk.SERVER_ERROR: server_error,
    Quirk.THROTTLED: throttled,
    Quirk.RESET: reset,
    Quirk.SLOW: slow,
    Quirk.HANG: hang,
    Quirk.LIMIT_CAP: limit_cap,
    Quirk.IGNORE_START: ignore_start,
    Quirk.ROW_ORDER: row_order,
}


@pytest.mark.parametrize("quirk", Quirk)
def test_a_quirk_does_what_it_says_and_nothing_once_it_is_off(quirk: Quirk, stand: Stand) -> None:
    before = [row["sid"] for row in stand.rows()]
    PROOFS[quirk](stand)
    stand.asking.simulator.control.quirk_off(quirk)
    assert [row["sid"] for row in stand.rows()] == before


def test_quirks_combine(stand: Stand) -> None:
    for switch in ("bom", "php_notices", "numbers_as_strings", "limit_cap=2", "row_order=oldest", "no_status_in_lists"):
        stand.switch_on(switch)
    answer = stand.ask()
    assert answer.content.startswith(b"\xef\xbb\xbf<br />")
    rows = json.loads(b"[{" + answer.content.partition(b"[{")[2])
    assert [row["startTime"] for row in rows] == [str(ref.started_at) for ref in stand.refs[:2]]
    assert not any("status" in row for row in rows)
    assert set(stand.asking.simulator.api.requests()[-1].quirks) == {
        "bom", "php_notices", "numbers_as_strings", "limit_cap", "row_order", "no_status_in_lists",
    }  # fmt: skip


def test_a_quirk_of_one_exam_leaves_the_others_alone(stand: Stand) -> None:
    other = stand.world.create_exam()
    stand.world.populate(other, 1)
    stand.switch_on("empty_list", exam_id=stand.exam_id)
    stand.switch_on("server_error=502", task=EXAMS)
    assert (len(stand.rows()), len(stand.rows(eid=other))) == (0, 1)
    assert stand.ask(EXAMS).status_code == 502


def test_a_refused_request_uses_up_no_quirk() -> None:
    elapsed_s = [0.0]
    with (
        running_simulator(World(), requests_per_second=1, elapsed_s=lambda: elapsed_s[0]) as simulator,
        requests.Session() as session,
    ):
        asking = Asking(simulator, session)
        assert asking.ask(EXAMS).status_code == 200
        simulator.control.quirk_on("html_page@next1")
        assert asking.ask(EXAMS).status_code == 429
        elapsed_s[0] += 1
        assert asking.ask(EXAMS).content.startswith(b"<!DOCTYPE")


def test_a_hanging_answer_does_not_keep_the_simulator_from_stopping() -> None:
    with running_simulator(World(), requests_per_second=None) as simulator, requests.Session() as session:
        simulator.control.quirk_on("hang=3600")
        with pytest.raises(requests.exceptions.ReadTimeout):
            session.get(f"{simulator.base_url}/index.php", params={"task": EXAMS}, timeout=0.1)


def test_every_quirk_has_its_proof() -> None:
    assert set(PROOFS) == set(Quirk)


def test_rows_that_move_between_two_pages_are_missed_by_offset(stand: Stand) -> None:
    """What a reader has to cope with: an attempt removed between two requests hides another."""
    first = stand.keys(limit=10)
    stand.world.remove(AttemptRef(stand.exam_id, str(first[0][1]), int(str(first[0][0]))))
    second = stand.keys(start=10, limit=100)
    assert len(set(first) | set(second)) == ROWS - 1
