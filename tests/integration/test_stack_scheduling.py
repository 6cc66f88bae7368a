"""Tests that share a deployed stack stay in one worker; all others are spread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = ("tests/e2e/test_one.py", "tests/e2e/test_two.py", "tests/e2e/test_e2e_loss.py", "tests/unit/test_rule.py")
CONFTEST = """
from tests.support.pytest_run.stack_scheduling import StackScheduling


def pytest_xdist_make_scheduler(config, log):
    return StackScheduling(config, log)
"""
TEST = """
import os
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", range(6))
def test_it(number):
    (Path(__file__).with_suffix(f".{number}")).write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


def test_a_shared_stack_has_one_worker(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TEST)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\naddopts = --import-mode=importlib\n")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider", "-n3"],
        cwd=tmp_path,
        env={**own, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "24 passed" in done.stdout
    one, two, loss, rule = ({(tmp_path / name).with_suffix(f".{n}").read_text() for n in range(6)} for name in FILES)
    assert len(one | two) == 1
    assert len(loss) == 1
    assert one.isdisjoint(loss), "two stacks are used at the same time"
    assert rule, "tests of rules run in any worker"
