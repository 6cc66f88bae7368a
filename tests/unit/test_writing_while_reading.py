"""A first scan writes each page while it reads the next one, and counts only what was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import ParamSpec, TypeVar

import pytest
from botocore.exceptions import ClientError

from examhook.detection.transition import Change
from examhook.provider.errors import ProviderUnavailable
from examhook.workflows.polling.poll import PollRequest
from examhook.workflows.polling.report import PollReport
from tests.support.provider.memory_provider import MemoryStage, asked, row, state
from tests.support.storage.memory_tables import MemorySubmissions

P = ParamSpec("P")
T = TypeVar("T")
ROWS = 190


class LateFuture(Future[T]):
    """Does its work only when somebody waits for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__()
        self._work = work

    def result(self, timeout: float | None = None) -> T:
        del timeout
        return self._work()


class LateExecutor(Executor):
    """The slowest thread there can be."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return LateFuture(lambda: fn(*args, **kwargs))


class NotedSubmissions(MemorySubmissions):
    """Calls a function before each write."""

    before_write: Callable[[], object] = staticmethod(lambda: None)

    def write(self, changes: Sequence[Change]) -> list[Change]:
        self.before_write()
        return super().write(changes)


@pytest.fixture
def submissions() -> NotedSubmissions:
    return NotedSubmissions()


@pytest.fixture
def stage(submissions: NotedSubmissions, monkeypatch: pytest.MonkeyPatch) -> MemoryStage:
    monkeypatch.setattr("examhook.workflows.polling.full_scan.limits_at", lambda _now: (10, 9, 11, 8, 7))
    stage = MemoryStage(submissions)
    stage.provider.add("7", *(row(900 - number) for number in range(ROWS)))
    return stage


def poll(stage: MemoryStage) -> PollReport:
    workflow = replace(stage.workflow(), writer=LateExecutor())
    return workflow.run(PollRequest(), lambda: 300.0)


def test_each_page_is_written_after_the_next_one_was_read(stage: MemoryStage, submissions: NotedSubmissions) -> None:
    """Except before a cursor is saved, which waits for what it covers."""
    pages_read: list[int] = []
    submissions.before_write = lambda: pages_read.append(asked(stage))
    assert poll(stage).complete
    assert len(submissions.of_exam("main", "7")) == ROWS
    assert pages_read[:10] == [2, 3, 4, 5, 5, 7, 8, 9, 10, 10]


def test_rows_whose_write_fails_are_read_again(stage: MemoryStage, submissions: NotedSubmissions) -> None:
    """No cursor covers them, although further pages were read meanwhile."""
    writes = iter(range(1000))

    def fail_once() -> None:
        if next(writes) == 6:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems")

    submissions.before_write = fail_once
    with pytest.raises(ClientError):
        poll(stage)
    assert 0 < len(submissions.of_exam("main", "7")) < ROWS
    stage.provider.clock += 120
    assert poll(stage).complete
    assert len(submissions.of_exam("main", "7")) == ROWS
    assert state(stage).row_count == ROWS


def test_no_write_is_left_behind_when_the_provider_fails(stage: MemoryStage, submissions: NotedSubmissions) -> None:
    """What was read before the failure is stored when the poll ends."""
    writes = iter(range(1000))

    def provider_fails_later() -> None:
        if next(writes) == 2:
            stage.provider.failures["7"] = ProviderUnavailable("The provider cannot be reached.")

    submissions.before_write = provider_fails_later
    assert not poll(stage).complete
    pages_read = asked(stage) - 1
    assert pages_read == 4
    # Pages of ten rows overlap by one.
    assert len(submissions.of_exam("main", "7")) == 10 + 9 * (pages_read - 1)
