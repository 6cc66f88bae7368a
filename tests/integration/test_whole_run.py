"""The check of a whole run counts the records of every worker, and fails the run like a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CONFTEST = """
from pathlib import Path

import pytest
from tests.support.pytest_run.whole_run import WholeRun

CALLS = set()


def unused(calls):
    return sorted({"poll", "deliver"} - calls)


def pytest_configure(config):
    config.pluginmanager.register(WholeRun(Path(__file__).parent, CALLS, unused))


@pytest.fixture
def call():
    return CALLS.add
"""

PROCESSES = pytest.mark.parametrize("processes", ["-n0", "-n2"])


def run(folder: Path, *called: str, options: tuple[str, ...]) -> tuple[int, str]:
    """Run one test for each name in ``called``, which records that name; return exit status and output."""
    (folder / "conftest.py").write_text(CONFTEST)
    for name in called:
        (folder / f"test_{name}.py").write_text(f"def test_{name}(call):\n    call({name!r})\n")
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**own, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@PROCESSES
def test_calls_of_tests_in_different_workers_count_together(tmp_path: Path, processes: str) -> None:
    status, printed = run(tmp_path, "poll", "deliver", options=(processes,))
    assert (status, "3 passed" in printed) == (0, True), printed


@PROCESSES
def test_a_permission_that_no_worker_used_fails_the_run(tmp_path: Path, processes: str) -> None:
    status, printed = run(tmp_path, "poll", "retry", options=(processes,))
    assert (status, "1 failed, 2 passed" in printed) == (1, True), printed
    assert "FAILED tests/support/pytest_run/whole_run.py::no_role_may_do_what_nothing_does" in printed
    assert "\ndeliver\n" in printed, "the report names what is not used"


@pytest.mark.parametrize(
    "options", [("-n2", "-k", "poll"), ("-n0", "test_poll.py"), ("-n0", "test_poll.py::test_poll")]
)
def test_a_part_of_the_tests_is_not_checked(tmp_path: Path, options: tuple[str, ...]) -> None:
    status, printed = run(tmp_path, "poll", "retry", options=options)
    assert (status, "1 passed" in printed) == (0, True), printed


def test_a_worker_that_crashed_leaves_the_run_without_a_verdict(tmp_path: Path) -> None:
    (tmp_path / "test_crash.py").write_text("import os\n\n\ndef test_crash():\n    os._exit(3)\n")
    status, printed = run(tmp_path, "poll", "retry", options=("-n2",))
    assert (status, "1 failed, 2 passed" in printed) == (1, True), printed
    assert "no_role_may_do_what_nothing_does" not in printed
