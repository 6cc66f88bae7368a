"""How much is asked, and that nothing is missed by asking less: edges, digests, removals, resumption."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from memory_tables import MemoryExams, MemorySubmissions
from played_provider import BEGAN_AT, Stage, row

from examhook.detection.reconcile import PATIENCE_SECONDS
from examhook.provider.errors import ProviderUnavailable
from examhook.provider.pages import UnreadableRow


@pytest.fixture
def stage() -> Stage:
    return Stage(MemorySubmissions(), MemoryExams())


def asked(stage: Stage) -> int:
    """Requests about results in the last poll."""
    return sum(bool(what) for what in stage.provider.asked)


@pytest.fixture(params=["newest first", "oldest first"])
def known(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """An exam of 250 ended attempts that was read whole."""
    stage.provider.oldest_first = request.param == "oldest first"
    stage.provider.add("7", *(row(1000 - number) for number in range(250)))
    assert stage.poll().complete
    assert asked(stage) == 3
    stage.provider.clock += 60
    return stage


def test_new_attempts_cost_one_request(known: Stage) -> None:
    known.provider.add("7", row(10, ended_at=BEGAN_AT + 30), row(11, ended_at=BEGAN_AT + 20))
    report = known.poll()
    assert known.events() == ["10 submitted", "11 submitted"]
    assert (asked(known), report.complete) == (1, True)
    known.provider.clock += 60
    known.poll()
    assert asked(known) == 0, "the takings are accounted for"


def test_more_new_attempts_than_a_page_holds_are_all_found(known: Stage) -> None:
    known.provider.add("7", *(row(number, ended_at=BEGAN_AT + 30) for number in range(230)))
    known.poll()
    assert len(known.events()) == 230
    assert asked(known) <= 4


def test_running_attempts_are_followed_by_one_request_each_poll(known: Stage) -> None:
    known.provider.add("7", row(10, status_code=0))
    known.poll()
    for _ in range(3):
        known.provider.clock += 60
        known.poll()
        assert asked(known) == 1
    known.provider.change("7", row(10, status_code=2, ended_at=known.provider.clock))
    known.provider.clock += 60
    known.poll()
    assert known.events() == ["10 started", "10 timed_out"]
    known.provider.clock += 60
    known.poll()
    assert asked(known) == 0


def test_a_deep_running_attempt_is_asked_for_by_its_candidate(known: Stage) -> None:
    """Three pages would be needed to come to it; one request about the candidate does."""
    known.provider.add("7", row(740, status_code=0))
    known.poll()
    known.provider.clock += 60
    known.provider.add("7", *(row(number, ended_at=known.provider.clock) for number in range(220)))
    known.poll()
    known.provider.clock += 60
    known.provider.change("7", row(740, ended_at=known.provider.clock))
    known.poll()
    assert known.events()[-1] == "740 submitted"
    assert asked(known) == 2
    assert known.provider.candidates_asked == ["740"]


def test_a_row_that_comes_later_than_its_takings_is_waited_for(known: Stage) -> None:
    listed = known.provider.exams_listed["7"]
    known.provider.exams_listed["7"] = replace(listed, attempt_count=(listed.attempt_count or 0) + 1)
    known.poll()
    assert asked(known) == 1 + 3, "fewer new rows than the takings tell of: a full pass, once"
    known.provider.clock += 60
    known.poll()
    assert asked(known) == 1
    known.provider.rows["7"] = [row(10, ended_at=BEGAN_AT + 30), *known.provider.rows["7"]]
    known.provider.clock += 60
    known.poll()
    assert known.events() == ["10 submitted"]
    known.provider.clock += 60
    known.poll()
    assert asked(known) == 0


def test_takings_that_lie_are_found_out(known: Stage) -> None:
    known.provider.rows["7"] = [row(10, ended_at=BEGAN_AT + 30), *known.provider.rows["7"]]
    known.poll(full=True)
    assert known.events() == ["10 submitted"]
    known.provider.clock += PATIENCE_SECONDS
    known.provider.rows["7"] = [row(9, ended_at=known.provider.clock), *known.provider.rows["7"]]
    known.poll()
    assert known.events() == ["9 submitted", "10 submitted"]
    known.provider.clock += 60
    known.poll()
    assert asked(known) == 1, "the edge of every available exam is looked at now"


def test_a_full_pass_without_changes_reads_nothing_back(known: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[object] = []
    monkeypatch.setattr(known.submissions, "step", lambda: reads.append("a read or a write"))
    report = known.poll(full=True)
    assert (report.rows, report.changes, reads) == (250, 0, [])


def test_a_removal_is_announced_at_the_second_full_pass_that_misses_it(known: Stage) -> None:
    gone = known.provider.rows["7"].pop(5)
    known.poll(full=True)
    assert known.events() == []
    known.provider.clock += 3600
    known.poll(full=True)
    assert known.events() == [f"{gone.candidate_id} removed"]
    for _ in range(2):
        known.provider.clock += 3600
        assert known.poll(full=True).changes == 0
    known.provider.rows["7"].insert(5, gone)
    known.provider.clock += 3600
    known.poll(full=True)
    assert known.events() == [f"{gone.candidate_id} removed", f"{gone.candidate_id} submitted"]


def test_a_removal_in_an_exam_too_large_to_hold_at_once_is_announced(
    known: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("examhook.workflows.whole_pass.SEGMENT_PAGES", 1)
    changed = replace(known.provider.rows["7"][200], score_points=Decimal(77))
    known.provider.change("7", changed)
    gone = known.provider.rows["7"].pop(5)
    for _ in range(2):
        known.poll(full=True)
        known.provider.clock += 3600
    assert sorted(known.events()) == sorted([f"{changed.candidate_id} rescored", f"{gone.candidate_id} removed"])


def test_a_row_that_was_missing_once_is_not_removed(known: Stage) -> None:
    missed = known.provider.rows["7"].pop(5)
    known.poll(full=True)
    known.provider.rows["7"].insert(5, missed)
    for _ in range(3):
        known.provider.clock += 3600
        known.poll(full=True)
    assert known.events() == []


def test_an_empty_answer_where_rows_were_is_not_believed(known: Stage) -> None:
    rows, known.provider.rows["7"] = known.provider.rows["7"], []
    for _ in range(3):
        known.provider.clock += 300
        assert not known.poll(full=True).complete
    known.provider.rows["7"] = rows
    for _ in range(3):
        known.provider.clock += 3600
        assert known.poll(full=True).complete
    assert known.events() == []


def test_an_exam_that_stays_empty_has_lost_its_rows(known: Stage) -> None:
    known.provider.rows["7"] = []
    polls = 0
    while not known.events():
        known.provider.clock += 600
        known.poll(full=True)
        polls += 1
    assert len(known.events()) == 250
    assert polls >= 5, "not before half an hour, and two full passes after it"
    known.provider.clock += 600
    assert known.poll(full=True).complete


def test_a_list_without_statuses_that_takes_more_than_one_poll_announces_no_old_news(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(30)))
    stage.provider.hide_status = True
    for _ in range(6):
        stage.requests_until_time_is_up = 12
        stage.poll()
        stage.provider.clock += 300
    assert stage.poll(full=True).complete
    assert len(stage.stored()) == 30
    assert stage.events() == []


def test_a_first_contact_goes_on_where_it_was_cut_short(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(950)))
    stage.requests_until_time_is_up = 8
    report = stage.poll()
    assert not report.complete
    assert stage.provider.requests_made == 8
    stage.requests_until_time_is_up = None
    stage.provider.clock += 60
    assert stage.poll().complete
    # 10 pages, of which the first poll read 6 (after two requests for the listing) and the second the rest.
    assert asked(stage) <= 5
    assert stage.events() == []
    stage.provider.clock += 60
    assert stage.poll(full=True).changes == 0


def test_a_first_contact_whose_process_died_repeats_few_requests(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(950)))
    stage.provider.dies_at_request = 10
    with pytest.raises(KeyboardInterrupt):
        stage.poll()
    stage.provider.dies_at_request = None
    stage.provider.clock += 120
    assert stage.poll().complete
    assert asked(stage) <= 6
    assert stage.events() == []


def test_a_week_in_which_nobody_polled_is_caught_up_by_one_ordinary_poll(known: Stage) -> None:
    """New attempts, an end of one that ran, a mark, a new exam: each once, however long ago."""
    known.provider.add("7", row(10, status_code=0))
    known.poll()
    week = range(1, 7 * 24)
    known.provider.add("7", *(row(100 + hour, ended_at=BEGAN_AT + 3600 * hour) for hour in week))
    known.provider.change("7", row(10, status_code=2, ended_at=BEGAN_AT + 7200))
    marked = replace(known.provider.rows["7"][-1], score_points=Decimal(77))
    known.provider.change("7", marked)
    known.provider.add("8", row(20, ended_at=BEGAN_AT + 9000))
    known.provider.clock = BEGAN_AT + 7 * 86_400
    assert known.poll(manual=False).complete
    expected = [f"{100 + hour} submitted" for hour in week]
    expected += ["10 started", "10 timed_out", f"{marked.candidate_id} rescored", "20 submitted"]
    assert sorted(known.events()) == sorted(expected)
    known.provider.clock += 60
    assert known.poll(manual=False).changes == 0


def test_what_ends_while_a_first_contact_is_interrupted_is_announced_once(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(950)))
    stage.requests_until_time_is_up = 8
    stage.poll()
    stage.requests_until_time_is_up = None
    stage.provider.clock += 60
    stage.provider.add("7", row(2000, ended_at=BEGAN_AT + 30))
    stage.poll()
    stage.provider.clock += 60
    stage.poll(full=True)
    assert stage.events() == ["2000 submitted"]


def test_a_removal_after_a_poll_that_died_in_a_first_contact_is_announced(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had written the attempts, and remembered nothing of the exam."""
    stage.provider.add("7", row(1), row(2))
    with monkeypatch.context() as patch:
        patch.setattr(stage.exams, "remember", _die)
        with pytest.raises(KeyboardInterrupt):
            stage.poll()
    gone = stage.provider.rows["7"].pop()
    for _ in range(3):
        stage.provider.clock += 3600
        stage.poll(full=True)
    assert stage.events() == [f"{gone.candidate_id} removed"]


def _die(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_failing_edge_leaves_the_exam_due(known: Stage) -> None:
    known.provider.add("7", row(10, ended_at=BEGAN_AT + 30))
    known.provider.failures["7"] = ProviderUnavailable("It does not answer.")
    assert known.poll().errors
    known.provider.failures.clear()
    known.poll()
    assert known.events() == ["10 submitted"]


def test_an_exam_that_closed_while_attempts_ran_is_read_whole_once_they_ended(known: Stage) -> None:
    known.provider.add("7", row(10, status_code=0))
    known.poll()
    known.provider.exams_listed["7"] = replace(known.provider.exams_listed["7"], available=False)
    requests = []
    for seen in (row(10, status_code=0), row(10), row(10), row(10)):
        known.provider.change("7", seen)
        known.provider.clock += 60
        known.poll()
        requests.append(asked(known))
    assert requests == [1, 1, 3, 0], "its edge while one ran and when it ended, all of it once, nothing any more"


def test_an_attempt_that_ran_and_is_gone_calls_for_a_full_pass_at_once(known: Stage) -> None:
    known.provider.add("7", row(10, status_code=0))
    known.poll()
    known.provider.rows["7"].pop(0)
    known.provider.clock += 60
    known.poll()
    gone = known.submissions.of_exam("main", "7")[row(10).key]
    assert gone.missing_since == known.provider.clock


@pytest.mark.parametrize("flaw", ["a row cannot be read", "no status is shown"])
def test_a_first_contact_that_passed_over_something_is_not_gone_on_with_but_made_anew(stage: Stage, flaw: str) -> None:
    """Whoever went on behind it would never come back for it."""
    stage.provider.add("7", *(row(number) for number in range(250)))
    if flaw == "no status is shown":
        stage.provider.hide_status = True
    else:
        stage.provider.unreadable["7"] = (UnreadableRow(20, "sid is missing"),)
    stage.requests_until_time_is_up = 4
    assert not stage.poll().complete
    watch = stage.exams.read("main").exams.get("7")
    assert watch is None or watch.progress is None
    stage.provider.hide_status = False
    stage.provider.unreadable.clear()
    stage.requests_until_time_is_up = None
    stage.provider.clock += 300
    assert stage.poll().complete
    assert len(stage.stored()) == 250
    assert stage.events() == []


def test_the_second_end_of_an_attempt_that_was_reopened_is_no_other_taking(known: Stage) -> None:
    known.provider.add("7", row(10, status_code=0))
    known.poll()
    for place, seen in enumerate([row(10), row(10, status_code=0), row(10, ended_at=BEGAN_AT + 90)]):
        known.provider.clock += 60
        known.provider.change("7", seen)
        known.poll(full=place == 1)
    assert known.events() == ["10 started", "10 submitted", "10 reopened", "10 submitted"]
    watch = known.exams.read("main").exams["7"]
    # To a count of ends, the start was told of too early, and one end made up for it.
    assert (watch.starts.ahead, watch.ends.ahead) == (0, 0)


@pytest.mark.parametrize("full", [False, True])
def test_a_change_that_another_poll_was_faster_with_leaves_the_exam_due(
    known: Stage,
    monkeypatch: pytest.MonkeyPatch,
    full: bool,  # noqa: FBT001
) -> None:
    known.provider.add("7", row(10, ended_at=BEGAN_AT + 30))
    with monkeypatch.context() as patched:
        patched.setattr(known.submissions, "write", list)
        report = known.poll(full=full)
    assert (report.changes, report.complete) == (0, False)
    assert "exam 7: another poll was faster" in report.notes
    known.provider.clock += 60
    assert known.poll().complete
    assert known.events() == ["10 submitted"]


def test_a_mark_in_a_known_exam_is_found_by_a_full_pass_and_changes_the_digest(known: Stage) -> None:
    marked = replace(known.provider.rows["7"][120], score_points=Decimal(77))
    known.provider.change("7", marked)
    known.poll(full=True)
    assert known.events() == [f"{marked.candidate_id} rescored"]
    known.provider.clock += 60
    assert known.poll(full=True).changes == 0
