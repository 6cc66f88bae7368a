"""Every quirk of the simulated provider, as a client sees it over a real socket."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime

import pytest
import requests

from examhook_simulator.bodies import THROTTLE_TEXTS
from examhook_simulator.facts import AttemptRef
from examhook_simulator.quirks import Quirk
from examhook_simulator.rows import big_id
from examhook_simulator.server import running_simulator
from examhook_simulator.world import World
from tests.support.provider.simulator_client import EXAMS, RESULTS, Asking

ROWS = 40


class Stand:
    """A simulator with one exam of 40 attempts, and a session."""

    def __init__(self, asking: Asking) -> None:
        self.world = asking.simulator.world
        self.exam_id = self.world.create_exam("考试 / test")
        self.refs = self.world.populate(self.exam_id, ROWS)
        self.switch_on = asking.simulator.control.quirk_on
        self.asking = asking

    def ask(self, task: str = RESULTS, *, timeout_s: float = 10, **params: str | int) -> requests.Response:
        return self.asking.send({"task": task, "eid": self.exam_id, "limit": 100, **params}, timeout_s)

    def rows(self, **params: str | int) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = self.ask(RESULTS, timeout_s=10, **params).json()
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


def exam_list_cap(stand: Stand) -> None:
    for _ in range(4):
        stand.world.create_exam()
    stand.switch_on("exam_list_cap=3")
    assert (len(stand.ask(EXAMS).json()), len(stand.rows())) == (3, ROWS)


def results_cap(stand: Stand) -> None:
    for _ in range(4):
        stand.world.create_exam()
    stand.switch_on("results_cap=3")
    assert (len(stand.ask(EXAMS).json()), len(stand.rows())) == (5, 3)
    stand.switch_on("results_cap=1", exam_id="1")
    assert len(stand.rows()) == 3


def uneven_pages(stand: Stand) -> None:
    whole = stand.keys()
    stand.switch_on("uneven_pages=5")
    pages = {start: stand.keys(start=start, limit=10) for start in range(30)}
    assert all(page == whole[start : start + len(page)] for start, page in pages.items())
    assert {len(page) for page in pages.values()} == set(range(1, 11))
    assert {start: stand.keys(start=start, limit=10) for start in range(30)} == pages


def half_page(stand: Stand) -> None:
    whole = stand.keys()
    stand.switch_on("half_page@next1")
    assert stand.keys(limit=15) == whole[:8]
    assert stand.keys(limit=15) == whole[:15]


def hidden_rows(stand: Stand) -> None:
    whole = stand.keys()
    stand.switch_on("hidden_rows=4:2")
    pages = [stand.keys(start=start, limit=10) for start in range(0, ROWS, 10)]
    shown = [key for page in pages for key in page]
    assert len(shown) == ROWS - 4
    assert [key for key in whole if key in shown] == shown
    assert any(len(page) < 10 for page in pages[:-1]), "a page in the middle is short"
    assert stand.ask(EXAMS).json() == [], "the only exam is hidden too"


def ties_by_request(stand: Stand) -> None:
    exam_id = stand.world.create_exam()
    candidates = {stand.world.start(exam_id).candidate_id for _ in range(20)}
    stand.switch_on("ties_by_request")
    first, again = stand.rows(eid=exam_id, limit=20), stand.rows(eid=exam_id, limit=20)
    other = stand.rows(eid=exam_id, limit=21)
    assert [row["sid"] for row in first] == [row["sid"] for row in again] != [row["sid"] for row in other]
    assert {str(row["sid"]) for row in first} == {str(row["sid"]) for row in other} == candidates


def foreign_rows(stand: Stand) -> None:
    other = stand.world.create_exam()
    foreign = {int(ref.candidate_id) for ref in stand.world.populate(other, 3)}
    stand.switch_on("foreign_rows=2")
    rows = stand.rows()
    assert len(rows) == ROWS + 2
    assert {row["sid"] for row in rows if str(row["eid"]) == other} < foreign
    assert sum(str(row["eid"]) == stand.exam_id for row in rows) == ROWS


def rows_lag(stand: Stand) -> None:
    stand.world.start(stand.exam_id)
    stand.switch_on("rows_lag=60")
    assert (stand.ask(EXAMS).json()[0]["times"], len(stand.rows())) == (ROWS + 1, ROWS)
    stand.world.advance(60)
    assert len(stand.rows()) == ROWS + 1
    stand.world.remove(stand.world.truth()[-1].ref)


def stale_replica(stand: Stand) -> None:
    running = stand.world.start(stand.exam_id)
    stand.world.advance(100)
    stand.world.submit(running, 50)
    stand.world.advance(30)
    new = stand.world.start(stand.exam_id)
    stand.world.close_exam(stand.exam_id)
    stand.switch_on("stale_replica=31@next2")
    newest, (exam,) = stand.rows()[0], stand.ask(EXAMS).json()
    assert (newest["sid"], newest["status"], newest["score"]) == (int(running.candidate_id), 0, 0)
    assert (exam["available"], exam["times"]) == (1, ROWS + 1)
    assert [row["sid"] for row in stand.rows()[:2]] == [int(new.candidate_id), int(running.candidate_id)]
    assert stand.rows()[1]["status"] == 1
    for ref in (running, new):
        stand.world.remove(ref)


def count(stand: Stand) -> None:
    def times() -> int:
        shown = stand.ask(EXAMS).json()[0]["times"]
        assert isinstance(shown, int)
        return shown

    def start_one() -> None:
        stand.world.remove(stand.world.start(stand.exam_id))

    stand.switch_on("count=stuck")
    stand.world.advance(60)
    start_one()
    assert times() == ROWS
    stand.switch_on("count=lagging=30")
    assert times() == ROWS
    stand.world.advance(30)
    assert times() == ROWS + 1
    stand.switch_on("count=lies")
    lies = []
    for _ in range(20):
        stand.world.advance(300)
        lies.append(times())
    assert min(lies) < ROWS + 1 < max(lies)
    assert ROWS + 1 not in lies


def corrected_start(stand: Stand) -> None:
    stand.switch_on("tid_and_passed")
    before = {row["tid"]: row["startTime"] for row in stand.rows()}
    stand.switch_on("corrected_start=-3600")
    stand.world.advance(1)
    new = stand.world.start(stand.exam_id)
    after = {row["tid"]: row["startTime"] for row in stand.rows()}
    assert {tid: int(str(start)) - 3600 for tid, start in before.items()}.items() < after.items()
    assert new.started_at in after.values()
    stand.world.remove(new)


def odd_fields(stand: Stand) -> None:
    stand.world.populate(other := stand.world.create_exam(), 300)
    plain = stand.rows(eid=other, limit=400)
    stand.switch_on("odd_fields=3")
    rows = stand.rows(eid=other, limit=400)
    scores, ends = [row["score"] for row in rows], [row["endTime"] for row in rows]
    texts = [score for score in scores if isinstance(score, str)]
    assert all(
        any(re.fullmatch(form, text) for text in texts) for form in (r"\d+,\d", "N/A", r"[\d.]+/100", r"[\d.]+%")
    )
    assert any(score is False for score in scores)
    assert any(end is False for end in ends)
    assert {-62_169_984_000, "0000-00-00 00:00:00"} <= set(ends)
    assert any(isinstance(end, float) for end in ends)
    assert {row["status"] for row in rows if row["startTime"] == 0} == {3}
    assert [row["sid"] for row in rows] == [row["sid"] for row in plain]
    assert [row["score"] for row in stand.rows(eid=other, limit=400)] == scores


def big_ids(stand: Stand) -> None:
    small = stand.rows()
    stand.switch_on("big_ids")
    (exam,) = stand.ask(EXAMS).json()
    assert exam["eid"] > 10**18
    big = stand.rows(eid=exam["eid"])
    assert [row["sid"] for row in big] == [int(big_id(str(row["sid"]))) for row in small]
    own = stand.rows(eid=exam["eid"], sid=str(big[0]["sid"]))
    assert {row["sid"] for row in own} == {big[0]["sid"]}


def date(stand: Stand) -> None:
    def shown() -> float:
        return parsedate_to_datetime(stand.ask(EXAMS).headers["Date"]).timestamp()

    switched_on_at = stand.world.now()
    stand.switch_on("date=stuck")
    now = stand.world.advance(7200)
    assert shown() == switched_on_at
    stand.switch_on("date=1970")
    assert shown() == 0
    stand.switch_on("date=+60")
    assert shown() == now + 60
    stand.switch_on("date=-60")
    assert shown() == now - 60
    stand.switch_on("date=two_servers")
    assert sorted(shown() - now for _ in range(4)) == [0, 0, 10_800, 10_800]
    stand.switch_on("date=absent")
    assert "Date" not in stand.ask(EXAMS).headers


def row_clock(stand: Stand) -> None:
    running = stand.world.start(stand.exam_id)
    plain, (exam,) = stand.rows(), stand.ask(EXAMS).json()
    stand.switch_on("row_clock=-3600")
    rows = stand.rows()
    assert [row["startTime"] for row in rows] == [int(str(row["startTime"])) - 3600 for row in plain]
    assert rows[0]["endTime"] == 0, "an open attempt has no end"
    assert [row["endTime"] for row in rows[1:]] == [int(str(row["endTime"])) - 3600 for row in plain[1:]]
    assert stand.ask(EXAMS).json()[0]["createTime"] == exam["createTime"] - 3600
    stand.world.remove(running)


def error_beside_list(stand: Stand) -> None:
    stand.switch_on("error_beside_list")
    assert stand.ask().json() == {"success": False, "message": "Too many requests", "data": []}
    for name in ("code", "errcode", "status", "msg", "errmsg"):
        stand.switch_on(f"error_beside_list={name}")
        answer = stand.ask(EXAMS)
        assert (answer.status_code, answer.json().keys(), answer.json()["data"]) == (200, {name, "data"}, [])


def throttle_text(stand: Stand) -> None:
    stand.switch_on("throttle_text=请求次数超过限制")
    answer = stand.ask()
    assert (answer.status_code, answer.json()) == (200, {"status": "error", "error": "请求次数超过限制"})
    stand.switch_on("throttle_text")
    assert {stand.ask().json()["error"] for _ in range(len(THROTTLE_TEXTS))} == set(THROTTLE_TEXTS)


def charset(stand: Stand) -> None:
    stand.world.remove(stand.world.start(stand.exam_id, name="王小明"))
    ref = stand.world.start(stand.exam_id, name="王小明 🦊")
    stand.switch_on("charset=gbk")
    answer = stand.ask()
    assert answer.headers["Content-Type"] == "text/html; charset=gbk"
    assert "王小明".encode("gbk") in answer.content
    assert json.loads(answer.content.decode("gbk"))[0]["name"] == "王小明 🦊", "what GBK lacks is escaped"
    stand.switch_on("charset=gb18030")
    assert "王小明 🦊".encode("gb18030") in stand.ask().content
    stand.world.remove(ref)


def gzip_bomb(stand: Stand) -> None:
    stand.switch_on("gzip_bomb")
    answer = stand.ask()
    assert int(answer.headers["Content-Length"]) < 20_000
    assert (1 << 24) - 3 <= len(answer.content) <= (1 << 24) + 4
    assert answer.content[:9] == b"[{},{},{}"
    assert answer.content[-6:] == b"{},{}]"


def interim(stand: Stand) -> None:
    """Read by hand, because the HTTP library of the tests treats an interim answer as the final one."""
    stand.switch_on("interim=103")
    host = stand.asking.simulator.base_url.removeprefix("http://")
    with socket.create_connection(("127.0.0.1", stand.asking.simulator.server_port), timeout=10) as peer:
        path = f"/index.php?task={EXAMS}&code={stand.asking.simulator.code}"
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: peer.recv(65_536), b""))
    early, final, body = received.split(b"\r\n\r\n")
    assert early.startswith(b"HTTP/1.1 103 Early Hints\r\n")
    assert final.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(body)[0]["eid"] == int(stand.exam_id)


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
    Quirk.EXAM_LIST_CAP: exam_list_cap,
    Quirk.RESULTS_CAP: results_cap,
    Quirk.UNEVEN_PAGES: uneven_pages,
    Quirk.HALF_PAGE: half_page,
    Quirk.HIDDEN_ROWS: hidden_rows,
    Quirk.TIES_BY_REQUEST: ties_by_request,
    Quirk.FOREIGN_ROWS: foreign_rows,
    Quirk.ROWS_LAG: rows_lag,
    Quirk.STALE_REPLICA: stale_replica,
    Quirk.COUNT: count,
    Quirk.CORRECTED_START: corrected_start,
    Quirk.ODD_FIELDS: odd_fields,
    Quirk.BIG_IDS: big_ids,
    Quirk.DATE: date,
    Quirk.ROW_CLOCK: row_clock,
    Quirk.ERROR_BESIDE_LIST: error_beside_list,
    Quirk.THROTTLE_TEXT: throttle_text,
    Quirk.CHARSET: charset,
    Quirk.GZIP_BOMB: gzip_bomb,
    Quirk.INTERIM: interim,
}


@pytest.mark.parametrize("quirk", Quirk)
def test_a_quirk_has_its_effect_only_while_it_is_on(quirk: Quirk, stand: Stand) -> None:
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


def test_a_quirk_of_one_exam_does_not_affect_the_others(stand: Stand) -> None:
    other = stand.world.create_exam()
    stand.world.populate(other, 1)
    stand.switch_on("empty_list", exam_id=stand.exam_id)
    stand.switch_on("server_error=502", task=EXAMS)
    assert (len(stand.rows()), len(stand.rows(eid=other))) == (0, 1)
    assert stand.ask(EXAMS).status_code == 502


def test_a_rejected_request_uses_up_no_quirk() -> None:
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


def test_every_quirk_has_a_test() -> None:
    assert set(PROOFS) == set(Quirk)


def test_rows_that_move_between_two_pages_are_missed_by_offset(stand: Stand) -> None:
    """Readers must handle this: an attempt that is removed between two requests hides another."""
    first = stand.keys(limit=10)
    stand.world.remove(AttemptRef(stand.exam_id, str(first[0][1]), int(str(first[0][0]))))
    second = stand.keys(start=10, limit=100)
    assert len(set(first) | set(second)) == ROWS - 1
