"""A stream that carries nothing to Dispatch is noticed, and what the stream lost is redriven."""

from __future__ import annotations

import pytest

from examhook.provider.errors import ProviderUnavailable
from tests.support.provider.memory_provider import MemoryStage, row

DAY_S = 24 * 3600


@pytest.fixture
def stage() -> MemoryStage:
    """An account whose first contact is over."""
    made = MemoryStage()
    made.provider.add("7", row(100))
    assert made.poll().complete
    return made


def announce(stage: MemoryStage, number: int) -> None:
    """Somebody ends."""
    stage.provider.clock += 60
    stage.provider.add("7", row(number, ended_at=stage.provider.clock - 1))
    assert stage.poll().changes == 1


def unsent_after(stage: MemoryStage, seconds: int) -> int:
    """How long something waits, by what the next poll says."""
    stage.provider.clock += seconds
    return stage.poll().unsent_s


def test_what_was_sent_is_no_longer_awaited(stage: MemoryStage) -> None:
    announce(stage, 1)
    assert stage.exams.read("main").record.awaited is not None
    assert unsent_after(stage, 60) == 0
    assert stage.exams.read("main").record.awaited is None


def test_a_stream_that_is_off_is_reported_until_it_is_on_again(stage: MemoryStage) -> None:
    stage.stream_is_off = True
    announce(stage, 1)
    assert unsent_after(stage, 59) == 0, "Dispatch may take a moment"
    assert unsent_after(stage, 541) == 600
    announce(stage, 2)
    assert unsent_after(stage, 60) == 720, "counted from the first that waits"
    stage.stream_is_off = False
    assert unsent_after(stage, 60) == 0
    assert stage.redrives == []


def test_what_the_stream_lost_is_redriven_once_a_day_while_it_is_off(stage: MemoryStage) -> None:
    stage.stream_is_off = True
    ordered: list[int] = []
    for day in range(3):
        announce(stage, day + 1)
        awaited = stage.exams.read("main").record.awaited
        assert awaited is not None
        ordered.append(awaited.observed_at)
        assert unsent_after(stage, DAY_S - 1) == DAY_S - 1
        assert stage.redrives == ordered[:day]
        assert unsent_after(stage, 1) == DAY_S
        assert stage.redrives == ordered[: day + 1]
        assert unsent_after(stage, 600) == 0


def test_a_first_contact_that_announces_nothing_awaits_nothing(stage: MemoryStage) -> None:
    stage.stream_is_off = True
    assert stage.exams.read("main").record.awaited is None
    assert unsent_after(stage, DAY_S) == 0


def test_a_poll_that_dies_leaves_what_is_awaited(stage: MemoryStage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.stream_is_off = True
    announce(stage, 1)
    awaited = stage.exams.read("main").record.awaited

    def die(*_: object, **__: object) -> object:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("examhook.workflows.polling.poll.read_exam_list", die)
        with pytest.raises(MemoryError):
            stage.poll()
    assert stage.exams.read("main").record.awaited == awaited
    assert awaited is not None


def test_a_poll_to_which_the_provider_gives_no_answer_checks_as_well(stage: MemoryStage) -> None:
    stage.stream_is_off = True
    announce(stage, 1)
    stage.provider.failures[""] = ProviderUnavailable("no answer")
    assert unsent_after(stage, 300) == 300
