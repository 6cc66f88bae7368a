"""Backfill (moto, simulated provider): lost or expired events are announced once, under their first ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from examhook.storage.submissions import is_exam
from examhook.storage.table import VersionedPut, VersionedWrites
from examhook_simulator.facts import AttemptRef
from tests.support.dispatch.dispatch_stack import Killed
from tests.support.dispatch.watched_stack import Context, WatchedStack, watched_stack
from tests.support.storage.tables import EVENTS

DAY_S = 86_400


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedStack]:
    with watched_stack(monkeypatch) as stack:
        yield stack


def by_candidate(events: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Type to id of each candidate's events."""
    found: dict[str, dict[str, str]] = {}
    for event in events:
        found.setdefault(event["data"]["candidate"]["id"], {})[event["type"].removeprefix("submission.")] = event["id"]
    return found


def end_all(stack: WatchedStack, refs: list[AttemptRef]) -> None:
    ways = [stack.world.submit, stack.world.time_out, stack.world.force, stack.world.system_submit]
    for number, ref in enumerate(refs):
        ways[number % len(ways)](ref)


def announced_before_the_loss(stack: WatchedStack) -> tuple[int, dict[str, dict[str, str]]]:
    """Two exams with a silent past; then eight attempts that start, end, and one of which is marked.

    Returns when they began and what was announced of them.
    """
    exam_ids = [stack.world.create_exam() for _ in range(2)]
    for exam_id in exam_ids:
        stack.world.populate(exam_id, 15)
    assert stack.poll()["complete"]
    stack.world.advance(DAY_S)
    began_at = stack.world.now()
    refs = [stack.world.start(exam_id) for exam_id in exam_ids for _ in range(4)]
    stack.world.advance(60)
    assert stack.poll()["complete"]
    stack.world.advance(600)
    end_all(stack, refs)
    stack.world.advance(5)
    assert stack.poll()["complete"]
    stack.world.mark(refs[0], 99.5)
    stack.world.advance(5)
    assert stack.poll(full=True)["complete"]
    announced = by_candidate(stack.published())
    assert len(announced) == 8
    assert announced[refs[0].candidate_id].keys() == {"started", "submitted", "rescored"}
    return began_at, announced


def ends(announced: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Of what was announced, what the provider still shows: how each attempt ended."""
    return {
        candidate: {kind: event_id for kind, event_id in kinds.items() if kind not in {"started", "rescored"}}
        for candidate, kinds in announced.items()
    }


def bodies(stack: WatchedStack) -> dict[str, Any]:
    """Every kept event by its id, apart from its link, which is another in each answer of the provider."""
    found = {}
    for item in stack.dynamodb.scan(TableName=EVENTS)["Items"]:
        body = json.loads(item["body"]["S"])
        del body["data"]["submission"]["result"]
        found[item["event_id"]["S"]] = body
    return found


def test_after_all_tables_were_lost_the_same_ids_come_back_and_nothing_older(stack: WatchedStack) -> None:
    began_at, announced = announced_before_the_loss(stack)
    stack.lose_everything()
    goes = stack.backfill(began_at)
    assert by_candidate(stack.published()) == ends(announced)
    assert sum(go["announced"] for go in goes) == 8
    assert all(go["errors"] == go["notes"] == [] for go in goes)


def test_after_it_polls_go_on_without_a_flood_and_without_a_gap(stack: WatchedStack) -> None:
    began_at, announced = announced_before_the_loss(stack)
    stack.lose_everything()
    stack.backfill(began_at)
    stack.published()
    assert stack.poll()["complete"]
    assert stack.poll(full=True)["complete"]
    assert stack.published() == []
    ref = stack.world.start(str(stack.world.exams()[0].exam_id))
    stack.world.submit(ref)
    old = next(row for row in stack.world.truth() if row.candidate_id in announced)
    stack.world.mark(AttemptRef(old.exam_id, old.candidate_id, old.started_at), 1.5)
    stack.world.advance(60)
    assert stack.poll(full=True)["complete"]
    news = by_candidate(stack.published())
    assert {candidate: set(kinds) for candidate, kinds in news.items()} == {
        ref.candidate_id: {"submitted"},
        old.candidate_id: {"rescored"},
    }


def test_what_a_poll_recorded_in_silence_before_the_backfill_comes_back_as_well(stack: WatchedStack) -> None:
    """A new stack polls within a minute, before anyone can request a backfill."""
    began_at, announced = announced_before_the_loss(stack)
    stack.lose_everything()
    assert stack.poll()["complete"]
    assert stack.published() == []
    (go,) = stack.backfill(began_at)
    assert by_candidate(stack.published()) == ends(announced)
    assert go["requests"] <= 2, "what was read whole a moment ago is not read again"


def test_its_revision_is_above_any_that_a_receiver_knows_from_before_the_loss(stack: WatchedStack) -> None:
    began_at, _ = announced_before_the_loss(stack)
    stack.lose_everything()
    stack.backfill(began_at)
    revisions = {event["revision"] for event in stack.published()}
    assert min(revisions) > 100


def test_a_repetition_finds_what_is_kept_and_announces_nothing(stack: WatchedStack) -> None:
    began_at, _ = announced_before_the_loss(stack)
    stack.lose_everything()
    stack.backfill(began_at)
    stack.published()
    (go,) = stack.backfill(began_at)
    assert (go["announced"], go["known"]) == (0, 8)
    assert stack.dispatch() == 0
    assert stack.published() == []


def test_with_everything_in_place_it_does_nothing(stack: WatchedStack) -> None:
    began_at, _ = announced_before_the_loss(stack)
    goes = stack.backfill(began_at)
    assert sum(go["announced"] for go in goes) == 0
    assert stack.published() == []


def test_events_beyond_their_retention_come_back_word_for_word(stack: WatchedStack) -> None:
    """Submissions are kept, events are not: then every kept change is announced again, starts and marks as well."""
    began_at, announced = announced_before_the_loss(stack)
    kept = bodies(stack)
    stack.lose(EVENTS)
    goes = stack.backfill(began_at)
    assert by_candidate(stack.published()) == announced
    assert sum(go["announced"] for go in goes) == 17
    assert bodies(stack) == kept


def test_what_was_delivered_is_not_delivered_again_and_a_new_endpoint_gets_it(
    stack: WatchedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    began_at, announced = announced_before_the_loss(stack)
    before = stack.stack.deliveries
    stack.lose(EVENTS)
    monkeypatch.setenv("WEBHOOK_URLS", "https://one.test/hook,https://new.test/hook")
    from tests.support.dispatch.dispatch_stack import forget_functions  # noqa: PLC0415 - a new deployment is a new process

    forget_functions()
    stack.backfill(began_at)
    new = stack.stack.endpoint_ids()["https://new.test/hook"]
    wanted = {event_id for kinds in announced.values() for kind, event_id in kinds.items() if kind != "started"}
    assert stack.stack.deliveries - before == {(new, event_id) for event_id in wanted}


def test_a_dry_run_counts_and_announces_nothing(stack: WatchedStack) -> None:
    began_at, _ = announced_before_the_loss(stack)
    stack.lose_everything()
    goes = stack.backfill(began_at, dry_run=True)
    assert sum(go["announced"] for go in goes) == 8
    assert stack.published() == []
    assert sum(go["announced"] for go in stack.backfill(began_at)) == 8


def test_only_the_exams_that_were_named_are_read_and_announced(stack: WatchedStack) -> None:
    began_at, announced = announced_before_the_loss(stack)
    stack.lose_everything()
    exam_id = str(stack.world.exams()[1].exam_id)
    stack.backfill(began_at, exam_ids=[exam_id])
    of_exam = {row.candidate_id for row in stack.world.truth(exam_id)}
    came = by_candidate(stack.published())
    assert came == {candidate: kinds for candidate, kinds in ends(announced).items() if candidate in of_exam}
    assert len(came) == 4


def test_an_exam_that_does_not_exist_is_named(stack: WatchedStack) -> None:
    announced_before_the_loss(stack)
    with pytest.raises(ValueError, match="Account main has no exam 999999"):
        stack.go(0, exam_ids=["999999"])


def test_it_goes_on_where_time_ran_out_and_asks_nothing_twice(stack: WatchedStack) -> None:
    began_at, announced = announced_before_the_loss(stack)
    big = stack.world.create_exam()
    stack.world.populate(big, 150, until=began_at)
    stack.lose_everything()
    goes = stack.backfill(began_at, context=lambda: Context(per_look_s=10))
    assert len(goes) > 3
    assert by_candidate(stack.published()) == ends(announced)
    # 17 pages, the two smaller exams, and each go's own listing; each resumption reads one page again.
    assert sum(go["requests"] for go in goes) <= 17 + 2 * 3 + 4 * len(goes)
    left = [go["exams_left"] for go in goes]
    assert left == sorted(left, reverse=True)


def test_it_goes_on_within_an_exam_while_announcing(stack: WatchedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    began_at, announced = announced_before_the_loss(stack)
    stack.lose_everything()
    stack.poll()
    monkeypatch.setattr("examhook.workflows.administration.backfill._PAGE_ITEMS", 4)
    goes = stack.backfill(began_at, context=lambda: Context(per_look_s=40))
    assert len({str(go["place"]) for go in goes}) >= 3
    assert sum(go["announced"] for go in goes) == 8
    assert by_candidate(stack.published()) == ends(announced)


def test_polls_are_not_taken_to_stand_still_while_it_goes_on_nor_to_lack_time(
    stack: WatchedStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ticks of the schedule meet its lease, so its own polls must leave the figures that alarms rest on."""
    began_at, _ = announced_before_the_loss(stack)
    stack.lose_everything()
    monkeypatch.setenv("STACK_NAME", "examhook")
    capsys.readouterr()
    assert stack.go(began_at, Context(remaining_s=25))["exams_left"] == 2, "there is no time for an exam"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    figures = {name: line[name] for line in lines for name in ("PollAge", "PollsOutOfTime") if name in line}
    assert figures == {"PollAge": [0.0]}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [1, 6])
def test_a_go_that_dies_at_a_write_is_simply_repeated(
    stack: WatchedStack,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: int,
    after: bool,  # noqa: FBT001
) -> None:
    began_at, announced = announced_before_the_loss(stack)
    stack.lose_everything()
    stack.poll()
    numbers = count(1)
    put_once = VersionedWrites._put_once  # noqa: SLF001 - the one place that writes few submissions

    def dying(writes: VersionedWrites, put: VersionedPut) -> bool:
        is_last = not is_exam(put.item) and next(numbers) == dies_at
        if is_last and not after:
            raise Killed
        written = put_once(writes, put)
        if is_last:
            raise Killed
        return written

    with monkeypatch.context() as patch:
        patch.setattr(VersionedWrites, "_put_once", dying)
        with pytest.raises(Killed):
            stack.go(began_at)
    stack.dispatch()
    stack.backfill(began_at)
    events = stack.published()
    assert by_candidate(events) == ends(announced)
    assert len(events) == 8, "none came twice"
