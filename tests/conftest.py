"""Watches, in every test, what the functions' code calls, and holds it against the rights of their roles."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import atomic_requests
import pytest
from hypothesis import settings
from recorder import WHOLE_RUN, Recorder, install
from rights import denied, wanted_by_calls

# How long an example takes says how busy the machine is.
settings.register_profile("examhook", deadline=None)
settings.load_profile("examhook")

INTEGRATION = Path(__file__).parent / "integration"
RECORDER = Recorder()
install(RECORDER)
atomic_requests.install()
# Whoever starts the tests in the background has them ignore Ctrl-C, and so would the programs that they start and end.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _rights_are_enough() -> Iterator[None]:
    """Fail a test in which a function called what its role does not allow."""
    RECORDER.begin()
    yield
    assert denied(wanted_by_calls(RECORDER.end())) == []


@pytest.fixture(scope="session")
def recorder() -> Recorder:
    """All that was called until now."""
    return RECORDER


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what judges the whole run behind everything else, and see whether it is a whole run."""
    items.sort(key=lambda item: item.get_closest_marker("after_all") is not None)
    collected = {item.path for item in items}
    named = any("::" in argument for argument in config.args)
    config.stash[WHOLE_RUN] = set(INTEGRATION.glob("test_*.py")) <= collected and not (config.option.keyword or named)
