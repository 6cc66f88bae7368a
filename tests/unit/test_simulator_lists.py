"""The lists of the simulated provider, read in process: which rows the pages show, in both dialects."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.model import Status
from examhook_simulator.facts import AttemptRef
from examhook_simulator.pages import hidden_ids
from examhook_simulator.provider_api import ProviderApi, Reply
from examhook_simulator.quirks import EXAMS, RESULTS, Switch
from examhook_simulator.request_limit import RequestLimit
from examhook_simulator.rows import big_id
from examhook_simulator.world import World

CODE = "simulated-code"
TIME = "1638768935"
Shown = dict[str, object]


@dataclass
class Provider:
    """A world and its API, without sockets."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.api = ProviderApi(self.world, CODE, RequestLimit(None))

    def switch(self, *switches: str) -> None:
        for text in switches:
            self.api.quirks.turn_on(Switch.parse(text))

    def ask(self, task: str, **params: str | int) -> Reply:
        query = {"task": task, "code": CODE} | {name: str(value) for name, value in params.items()}
        return self.api.answer(query, "http://provider.test", 0.0)

    def ask_v1(self, **params: str | int) -> Reply:
        query = {"code": CODE, "time": TIME} | {name: str(value) for name, value in params.items()}
        signature = hashlib.md5((TIME + CODE).encode(), usedforsecurity=False).hexdigest()
        return self.api.answer(query, "http://provider.test", 0.0, signature)

    def rows(self, task: str = RESULTS, **params: str | int) -> list[Shown]:
        return without_links(json.loads(self.ask(task, **params).body))

    def v1(self, **params: str | int) -> tuple[list[Shown], int]:
        answer = json.loads(self.ask_v1(**params).body)
        return without_links(answer["data"]), answer["total"]

    def all_pages(self, exam_id: str, limit: int = 7) -> list[Shown]:
        """Every row that some offset shows, each page whole."""
        starts = range(len(self.world.truth()) + 1)
        return [row for start in starts for row in self.rows(eid=exam_id, start=start, limit=limit)]


def without_links(rows: list[Shown]) -> list[Shown]:
    """The rows without what differs at every request."""
    return [{name: cell for name, cell in row.items() if name != "viewResult"} for row in rows]


def refs(exam_id: str, rows: list[Shown]) -> set[AttemptRef]:
    return {AttemptRef(exam_id, str(row["sid"]), int(str(row["startTime"]))) for row in rows}


@pytest.fixture
def provider() -> Provider:
    return Provider()


REPEATABLE = (
    "hidden_rows=3:4",
    "hidden_rows=0.3",
    "uneven_pages=2",
    "half_page",
    "limit_cap=9",
    "exam_list_cap=4",
    "results_cap=6",
    "ties_by_request",
    "row_order=oldest",
    "row_order=candidate",
    "foreign_rows",
    "rows_lag=90",
    "stale_replica=60",
    "count=lies",
    "odd_fields",
    "big_ids",
    "row_clock=-3600",
    "corrected_start=1",
    "tid_and_passed",
    "no_status_in_lists",
    "numbers_as_strings",
)


@given(st.lists(st.sampled_from(REPEATABLE), min_size=1, max_size=8), st.integers(0, 30), st.integers(1, 30))
def test_the_same_request_gives_the_same_rows_whatever_is_switched_on(
    switches: list[str], start: int, limit: int
) -> None:
    provider = Provider()
    exam_id = [provider.world.create_exam() for _ in range(3)][1]
    provider.world.populate(exam_id, 20)
    for _ in range(6):
        provider.world.start(exam_id)
    provider.switch(*switches)
    provider.world.advance(30)
    for once, again in (
        (provider.rows(EXAMS, start=start, limit=limit), provider.rows(EXAMS, start=start, limit=limit)),
        (
            provider.rows(eid=exam_id, start=start, limit=limit),
            provider.rows(eid=exam_id, start=start, limit=limit),
        ),
    ):
        assert once == again
        assert len(once) <= limit
    assert provider.v1(start=start, limit=limit) == provider.v1(start=start, limit=limit)


@pytest.mark.parametrize("switch", ["hidden_rows=5", "hidden_rows=0.3:9", "rows_lag=90"])
def test_what_is_hidden_is_hidden_from_every_page_and_the_api_says_what_is_not(provider: Provider, switch: str) -> None:
    exam_id = provider.world.create_exam()
    provider.world.populate(exam_id, 30)
    provider.world.start(exam_id)
    provider.switch(switch)
    shown = set(provider.api.shown_attempts(exam_id))
    assert refs(exam_id, provider.all_pages(exam_id)) == shown
    v1_rows, total = provider.v1(limit=100)
    assert refs(exam_id, v1_rows) == shown
    assert total == 31 > len(shown), "the total counts what no page shows"


def test_a_share_of_hidden_rows_is_about_that_share_of_early_and_late_rows() -> None:
    everything = Switch.parse("hidden_rows=0.3")
    for ids in (range(1000), range(1000, 2000)):
        assert 250 < len(hidden_ids(everything, ids, ())) < 350


@pytest.mark.parametrize(("switch", "left"), [("hidden_rows=3", 17), ("hidden_rows=0.5", None)])
def test_hidden_exams_are_on_no_page_of_the_list(provider: Provider, switch: str, left: int | None) -> None:
    exams = [provider.world.create_exam() for _ in range(20)]
    provider.switch(switch)
    listed = {str(exam["eid"]) for start in (0, 10) for exam in provider.rows(EXAMS, start=start, limit=10)}
    assert listed == set(provider.api.shown_exams()) < set(exams)
    assert left in {None, len(listed)}


def test_a_number_of_hidden_rows_stays_the_same_rows_while_others_come_and_go(provider: Provider) -> None:
    exam_id = provider.world.create_exam()
    provider.world.populate(exam_id, 20)
    provider.switch("hidden_rows=4")
    shown = set(provider.api.shown_attempts(exam_id))
    hidden = {row.ref for row in provider.world.truth()} - shown
    provider.world.advance(1)
    new = {provider.world.start(exam_id) for _ in range(5)}
    provider.world.remove(gone := hidden.pop())
    assert {row.ref for row in provider.world.truth()} - set(provider.api.shown_attempts(exam_id)) == hidden
    assert set(provider.api.shown_attempts(exam_id)) == shown | new
    assert gone not in provider.api.shown_attempts(exam_id)


def test_what_begins_in_the_second_of_the_switch_on_changes_nothing_that_is_hidden(provider: Provider) -> None:
    exam_id = provider.world.create_exam()
    provider.world.populate(exam_id, 20)
    provider.switch("hidden_rows=4")
    listed = set(provider.api.shown_exams())
    shown = set(provider.api.shown_attempts(exam_id))
    new_exams = {provider.world.create_exam() for _ in range(20)}
    new = {provider.world.start(exam_id) for _ in range(20)}
    assert set(provider.api.shown_attempts(exam_id)) == shown | new
    assert set(provider.api.shown_exams()) == listed | new_exams


def test_page_lengths_differ_by_list_and_by_seed(provider: Provider) -> None:
    exams = [provider.world.create_exam() for _ in range(2)]
    for exam_id in exams:
        provider.world.populate(exam_id, 60)

    def lengths(seed: int, exam_id: str) -> list[int]:
        provider.switch(f"uneven_pages={seed}")
        return [len(provider.rows(eid=exam_id, start=start, limit=20)) for start in range(40)]

    found = [lengths(seed, exam_id) for seed in (1, 2) for exam_id in exams]
    assert all(found.count(each) == 1 for each in found)
    assert lengths(1, exams[0]) == found[0]


def test_two_exams_can_have_different_caps_at_once(provider: Provider) -> None:
    first, second, third = (provider.world.create_exam() for _ in range(3))
    for exam_id in (first, second, third):
        provider.world.populate(exam_id, 10)
    for exam_id, cap in ((first, "1"), (second, "9")):
        parsed = Switch.parse(f"results_cap={cap}")
        provider.api.quirks.turn_on(Switch(parsed.quirk, parsed.value, exam_id=exam_id))
    provider.switch("results_cap=7", "results_cap=8")
    assert [len(provider.rows(eid=exam_id)) for exam_id in (first, second, third)] == [1, 9, 8]
    provider.api.quirks.turn_off(parsed.quirk)
    assert [len(provider.rows(eid=exam_id)) for exam_id in (first, second, third)] == [10, 10, 10]


def test_exams_of_one_second_change_places_by_request(provider: Provider) -> None:
    exams = {provider.world.create_exam() for _ in range(12)}
    provider.switch("ties_by_request")
    orders = [[str(exam["eid"]) for exam in provider.rows(EXAMS, limit=limit)] for limit in (12, 13)]
    assert orders[0] != orders[1]
    assert set(orders[0]) == set(orders[1]) == exams


def test_ties_keep_the_order_of_what_differs(provider: Provider) -> None:
    exam_id = provider.world.create_exam()
    for _ in range(5):
        for _ in range(4):
            provider.world.start(exam_id)
        provider.world.advance(10)
    provider.switch("ties_by_request")
    starts = [int(str(row["startTime"])) for row in provider.rows(eid=exam_id)]
    assert starts == sorted(starts, reverse=True)
    assert provider.v1(limit=20)[0] != provider.v1(limit=21)[0]


@pytest.mark.parametrize(("switch", "total"), [("count=stuck", 10), ("count=lagging=60", 10), ("count=lagging=59", 11)])
def test_the_total_of_v1_does_what_the_count_does(provider: Provider, switch: str, total: int) -> None:
    exam_id = provider.world.create_exam()
    provider.world.populate(exam_id, 10)
    provider.switch(switch)
    provider.world.advance(1)
    provider.world.start(exam_id)
    provider.world.advance(59)
    assert (len(provider.v1()[0]), provider.v1()[1]) == (11, total)
    assert provider.v1(eid=exam_id)[1] == total
    assert provider.rows(EXAMS)[0]["times"] == total


def test_a_lying_total_is_wrong_in_both_directions(provider: Provider) -> None:
    provider.world.populate(provider.world.create_exam(), 2)
    provider.switch("count=lies")
    totals = set()
    for _ in range(60):
        provider.world.advance(300)
        totals.add(provider.v1()[1])
    assert totals == {0, 1, 3, 4, 5, 6}


def test_a_stale_answer_of_v1_shows_what_was_removed_and_lacks_what_is_new(provider: Provider) -> None:
    exam_id = provider.world.create_exam()
    old, running = provider.world.populate(exam_id, 1)[0], provider.world.start(exam_id)
    provider.world.advance(100)
    provider.world.remove(old)
    provider.world.time_out(running)
    provider.world.start(exam_id)
    provider.switch("stale_replica=100@next1")
    stale, fresh = provider.v1(), provider.v1()
    assert (stale[0][0]["sid"], stale[0][0]["status"]) == (running.candidate_id, "0")
    assert (refs(exam_id, stale[0]), stale[1]) == ({old, running}, 2)
    assert old not in refs(exam_id, fresh[0])
    assert fresh[1] == 2


def test_an_exam_is_in_no_stale_answer_from_before_it_was_created(provider: Provider) -> None:
    provider.switch("stale_replica=10")
    provider.world.create_exam()
    assert provider.rows(EXAMS) == []
    provider.world.advance(10)
    assert len(provider.rows(EXAMS)) == 1


def test_rows_of_v1_name_another_exam_where_they_are_foreign(provider: Provider) -> None:
    asked, other = provider.world.create_exam(), provider.world.create_exam()
    for exam_id in (asked, other):
        provider.world.populate(exam_id, 4)
    provider.switch("foreign_rows=1")
    found = [str(row["eid"]) for row in provider.v1(eid=asked)[0]]
    assert sorted(found) == [asked] * 4 + [other]
    assert len(provider.v1()[0]) == 8, "all exams at once have no foreign rows"


def test_a_changed_status_is_shown_only_where_one_candidate_is_requested(provider: Provider) -> None:
    ref = provider.world.start(provider.world.create_exam())
    provider.world.submit(ref, 40)
    provider.switch("no_status_in_lists")
    before = provider.rows(eid=ref.exam_id), provider.rows(eid=ref.exam_id, sid=ref.candidate_id)
    provider.world.advance(60)
    provider.world.change_status(ref, Status.FORCED)
    after = provider.rows(eid=ref.exam_id), provider.rows(eid=ref.exam_id, sid=ref.candidate_id)
    assert before[0] == after[0]
    assert [rows[1][0].pop("status") for rows in (before, after)] == [1, 3]
    assert before[1] == after[1]


def test_a_corrected_row_keeps_its_tid_and_takes_the_place_of_its_new_start(provider: Provider) -> None:
    exam_id = provider.world.create_exam()
    early = provider.world.start(exam_id)
    provider.switch("tid_and_passed", "corrected_start=+3600")
    provider.world.advance(60)
    late = provider.world.start(exam_id)
    rows = provider.rows(eid=exam_id)
    assert [row["sid"] for row in rows] == [int(early.candidate_id), int(late.candidate_id)]
    assert [row["tid"] for row in rows] == [1, 2]
    assert [row["startTime"] for row in rows] == [early.started_at + 3600, late.started_at]


def test_a_switch_for_one_exam_touches_it_under_its_big_id_too(provider: Provider) -> None:
    exam_id = provider.world.create_exam()
    provider.world.populate(exam_id, 3)
    provider.switch("big_ids")
    empty = Switch.parse("empty_list")
    provider.api.quirks.turn_on(Switch(empty.quirk, exam_id=exam_id))
    assert provider.rows(eid=big_id(exam_id)) == []
    assert provider.rows(EXAMS)[0]["eid"] == int(big_id(exam_id))


def test_false_is_an_empty_text_where_every_value_is_text(provider: Provider) -> None:
    provider.world.populate(provider.world.create_exam(), 60)
    provider.switch("odd_fields")
    rows = provider.v1(limit=100)[0]
    assert all(isinstance(cell, str) for row in rows for cell in row.values())
    assert "" in {row["score"] for row in rows}
    assert "False" not in {row["score"] for row in rows}


def test_every_answer_has_its_headers_in_process(provider: Provider) -> None:
    provider.world.create_exam()
    limited = ProviderApi(provider.world, CODE, RequestLimit(1))
    answers = [
        provider.ask(EXAMS),
        provider.ask(RESULTS, eid="1"),
        provider.ask_v1(),
        limited.answer({}, "", 0.0),
        limited.answer({}, "", 0.0),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 429]
    for answer in answers:
        assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == provider.world.now()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    provider.switch("date=absent", "charset=gbk")
    answer = provider.ask(EXAMS)
    assert "Date" not in answer.headers
    assert answer.headers["Content-Type"] == "text/html; charset=gbk"


def test_an_interim_answer_precedes_errors_too(provider: Provider) -> None:
    provider.switch("interim", "server_error=503")
    answer = provider.ask(EXAMS)
    assert (answer.interim_status, answer.status) == (103, 503)
