"""What the programs of the local run get to see, and what a shell sources afterwards."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from examhook_cli.errors import NotInstalledError
from examhook_cli.local.deploy import write_private
from examhook_cli.local.environment import (
    LocalPaths,
    emulator_variables,
    sam_variables,
    shell_text,
    shell_variables,
)

PERSON = {
    "PATH": "/usr/bin",
    "HOME": "/home/mei",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "a-real-session",
    "PIP_INDEX_URL": "https://mirror.example/simple",
    "NO_PROXY": "intranet.example",
}


def test_the_shell_file_gives_a_shell_the_emulator_and_the_stack(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(shell_text(4567))
    command = f". {file}; echo $AWS_ENDPOINT_URL $AWS_DEFAULT_REGION $AWS_ACCESS_KEY_ID $EXAMHOOK_STACK"
    said = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["http://127.0.0.1:4567", "us-east-1", "test", "examhook"]


def test_nothing_of_the_persons_aws_set_up_reaches_the_functions() -> None:
    seen = emulator_variables(PERSON, 4567, Path("/tmp/x"))  # noqa: S108 - a name only
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "PIP_INDEX_URL"}.isdisjoint(seen)
    assert seen["AWS_CONFIG_FILE"] == os.devnull
    assert seen["HOME"] == "/home/mei"


def test_the_emulator_enforces_rights_and_listens_on_this_machine_only() -> None:
    seen = emulator_variables(PERSON, 4567, Path("/tmp/x"))  # noqa: S108 - a name only
    assert (seen["AUTH"], seen["BIND_HOST"], seen["GATEWAY_PORT"]) == ("true", "127.0.0.1", "4567")


def test_sam_keeps_the_persons_package_mirror_but_deploys_to_the_emulator() -> None:
    seen = sam_variables(PERSON, 4567, Path("/project/.venv-sam/bin"))
    assert seen["PIP_INDEX_URL"] == PERSON["PIP_INDEX_URL"]
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN"}.isdisjoint(seen)
    assert shell_variables(4567).items() <= seen.items()
    assert seen["PATH"].split(os.pathsep) == ["/project/.venv-sam/bin", "/usr/bin"]


def test_a_proxy_is_never_asked_for_the_emulator() -> None:
    assert sam_variables(PERSON, 1, Path("/x"))["NO_PROXY"] == "intranet.example,127.0.0.1"
    assert sam_variables({}, 1, Path("/x"))["no_proxy"] == "127.0.0.1"


def test_the_state_stands_in_the_checkout_unless_moved(tmp_path: Path) -> None:
    usual = LocalPaths.find({})
    assert (usual.project / "template.yaml").is_file()
    assert usual.state == usual.project / ".local"
    assert LocalPaths.find({"EXAMHOOK_LOCAL_DIR": str(tmp_path)}).state == tmp_path


def test_a_missing_environment_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NotInstalledError, match=r"\.venv-sam is not set up: run make install"):
        LocalPaths(tmp_path, tmp_path).program(".venv-sam", "sam")


def test_a_private_file_is_its_owners_alone_even_where_an_open_one_stood(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
