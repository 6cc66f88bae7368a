"""How the local run calls SAM: with a configuration of its own, whatever the operator's file says."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from examhook_cli.local.deploy import build, deploy
from examhook_cli.local.environment import REGION, LocalPaths
from examhook_cli.local.parameters import LocalOptions

ROOT = Path(__file__).parents[2]
Arguments = Callable[[LocalPaths], list[str]]
OPTIONS = LocalOptions("http://127.0.0.1:8100", "a-code")


@pytest.fixture
def environment(tmp_path: Path) -> LocalPaths:
    """A checkout whose SAM prints its arguments, one on each line, and does nothing."""
    program = tmp_path / "project" / ".venv-sam" / "bin" / "sam"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o700)
    (tmp_path / "state").mkdir()
    return LocalPaths(tmp_path / "project", tmp_path / "state")


def build_arguments(environment: LocalPaths) -> list[str]:
    build(environment, {}, 4566, OPTIONS)
    return environment.deploy_log.read_text().splitlines()


def deploy_arguments(environment: LocalPaths) -> list[str]:
    deploy(environment, {}, 4566, OPTIONS, boto3.client("cloudformation", region_name=REGION))
    return environment.deploy_log.read_text().splitlines()


def configuration(arguments: list[str]) -> Path:
    (given,) = [each for each in arguments if each.startswith("--config-file=")]
    return Path(given.removeprefix("--config-file="))


@pytest.mark.parametrize("arguments", [build_arguments, deploy_arguments])
def test_sam_reads_the_local_runs_own_configuration_and_never_the_operators(
    environment: LocalPaths, arguments: Arguments
) -> None:
    """The guided ``sam deploy`` keeps region, profile, parameters and more in the checkout's samconfig.toml."""
    read = configuration(arguments(environment))
    assert read.is_file()
    assert environment.project not in read.parents
    assert read != ROOT / "samconfig.toml"


@pytest.mark.parametrize("arguments", [build_arguments, deploy_arguments])
def test_sam_works_in_the_region_in_which_the_local_stack_is_looked_for(
    environment: LocalPaths, arguments: Arguments
) -> None:
    assert f"--region={REGION}" in arguments(environment)


def test_the_own_configuration_says_what_a_deployment_without_questions_needs(environment: LocalPaths) -> None:
    arguments = deploy_arguments(environment)
    settings = tomllib.loads(configuration(arguments).read_text())
    assert settings.keys() == {"version", "default"}
    assert settings["default"] == {
        "deploy": {
            "parameters": {
                "capabilities": "CAPABILITY_IAM",
                "resolve_s3": True,
                "confirm_changeset": False,
                "fail_on_empty_changeset": False,
                "tags": 'application="examhook"',
            }
        }
    }
    assert "--stack-name=examhook" in arguments
    assert f"file://{environment.parameters_file}" in arguments
