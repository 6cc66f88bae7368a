"""Checks a whole run after its last test, in the process that reports the results.

A run has one or more workers. Each worker records the AWS calls of its tests and passes them to the controller when it
finishes. A run without workers (``-n0``) is its own controller.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

Call = TypeVar("Call")

VERDICT = "tests/support/pytest_run/whole_run.py::no_role_may_do_what_nothing_does"
"""The name under which the verdict is reported, as the result of one more test."""

_KEY = "whole_run"
"""Where a worker leaves what it recorded, or None if it did not run every test of the folder."""


class WholeRun(Generic[Call]):
    """A pytest plugin that passes all recorded calls to ``unused`` and fails the run if that returns a permission.

    It checks only runs of every test in ``folder``.
    """

    def __init__(self, folder: Path, calls: set[Call], unused: Callable[[Iterable[Call]], list[str]]) -> None:
        self._folder, self._calls, self._unused = folder, calls, unused
        self._is_whole = True

    def pytest_deselected(self) -> None:
        """A run that leaves out tests cannot show which permissions are unused."""
        self._is_whole = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Compare the collected tests with the files of the folder."""
        if config.option.collectonly or any("::" in argument for argument in config.args):
            self._is_whole = False
        if not set(self._folder.glob("test_*.py")) <= {item.path for item in items}:
            self._is_whole = False

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Pass on the records of this worker."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_KEY] = pickle.dumps(self._calls) if self._is_whole else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the records of a worker; a crashed worker has none."""
        recorded = getattr(node, "workeroutput", {}).get(_KEY)
        if recorded is None:
            self._is_whole = False
        else:
            self._calls |= pickle.loads(recorded)  # noqa: S301 - written by a worker of this run

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Any:
        """Report the verdict once all workers are down."""
        done = yield
        if self._is_whole and not hasattr(session.config, "workerinput"):
            found = self._unused(self._calls)
            report = pytest.TestReport(
                nodeid=VERDICT,
                location=("tests/support/pytest_run/whole_run.py", None, VERDICT.rpartition("::")[2]),
                keywords={},
                outcome="failed" if found else "passed",
                longrepr="\n".join(found) or None,
                when="call",
            )
            session.config.hook.pytest_runtest_logreport(report=report)
        return done
