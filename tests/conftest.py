"""Records in every test what the functions' code calls, and compares it with the permissions of their roles."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.aws import atomic_requests, quick_clients
from tests.support.iam.call_recorder import Call, Recorder, install
from tests.support.iam.rights import denied, unused, wanted_by_aws, wanted_by_calls
from tests.support.pytest_run.whole_run import WholeRun

# How long an example takes says how busy the machine is.
settings.register_profile("examhook", deadline=None)
settings.load_profile("examhook")

INTEGRATION = Path(__file__).parent / "integration"
RECORDER = Recorder()
install(RECORDER)
atomic_requests.install()
quick_clients.install()
# Whoever starts the tests in the background has them ignore Ctrl-C, and so would the programs that they start and end.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _unused(calls: Iterable[Call]) -> list[str]:
    return unused([*wanted_by_calls(calls), *wanted_by_aws()])


def pytest_configure(config: pytest.Config) -> None:
    """Evaluate the permissions of the roles after a run of all integration tests."""
    config.pluginmanager.register(WholeRun(INTEGRATION, RECORDER.calls, _unused))


@pytest.fixture(autouse=True)
def _rights_are_enough() -> Iterator[None]:
    """Fail a test if a function made a call that its role does not allow."""
    RECORDER.begin()
    yield
    assert denied(wanted_by_calls(RECORDER.end())) == []


@pytest.fixture(scope="session")
def recorder() -> Recorder:
    """All recorded calls of this process's tests."""
    return RECORDER


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the slow tests first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Start one worker more than there are processors: the one with the end-to-end tests mostly waits."""
    return (yield) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep tests that share a deployed stack in one worker."""
    from tests.support.pytest_run.stack_scheduling import StackScheduling  # noqa: PLC0415 - only a run with workers needs pytest-xdist

    return StackScheduling(config, log)
