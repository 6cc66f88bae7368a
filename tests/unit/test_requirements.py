"""The package lists agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(path: str) -> dict[str, str]:
    """Package and version of each line."""
    return dict(PIN.findall((ROOT / path).read_text()))


def test_the_functions_have_the_package_versions_of_the_tests() -> None:
    packed, tested = pins("src/requirements.txt"), pins("tools/requirements/dev.txt")
    assert packed
    assert packed.items() <= tested.items()


def test_the_functions_need_the_projects_packages_without_boto3_and_the_command_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = {line for line in (ROOT / "tools/requirements/lambda.in").read_text().splitlines() if line}
    outside = ("boto3", "rich", "typer")
    assert wanted == {line for line in project if not line.startswith(outside)}


def test_every_package_of_the_functions_is_locked_by_hash() -> None:
    text = (ROOT / "src/requirements.txt").read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) == len(pins("src/requirements.txt"))
    assert all("--hash=sha256:" in block for block in blocks)


def test_no_list_names_a_registry() -> None:
    for path in [*ROOT.glob("tools/requirements/*"), ROOT / "src/requirements.txt", ROOT / "pyproject.toml"]:
        assert "://" not in path.read_text(), path.name


def test_the_licences_page_lists_the_locked_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.generate.licences", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (
        pins("src/requirements.txt").items()
        <= dict(re.findall(r"^\| ([\w.-]+) \| (\S+) \|", _page(), re.MULTILINE)).items()
    )


def _page() -> str:
    return (ROOT / "docs" / "licences.md").read_text()
