"""What stands between a person and the stack is said in one sentence that names the way out; exit status 1, or 2."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.aws.aws_stand_in import AwsFront, running_aws_front
from tests.support.cli.command_line import CREDENTIALS, real_examhook


@pytest.fixture
def front() -> Iterator[AwsFront]:
    with running_aws_front() as front:
        yield front


def failure_of(*args: str, cwd: Path, **env: str) -> str:
    finished = real_examhook(*args, env=env, cwd=cwd)
    assert (finished.exit_code, finished.out) == (1, "")
    assert finished.err.count("\n") == 1
    return finished.err


def test_a_stack_that_is_not_there_is_named_with_its_region(front: AwsFront, tmp_path: Path) -> None:
    said = failure_of("--stack", "other", "poll", cwd=tmp_path, AWS_ENDPOINT_URL=front.url, **CREDENTIALS)
    assert said.startswith("Stack other does not exist in region eu-central-1: ")


def test_the_stack_can_be_named_in_the_environment(front: AwsFront, tmp_path: Path) -> None:
    said = failure_of("poll", cwd=tmp_path, AWS_ENDPOINT_URL=front.url, EXAMHOOK_STACK="elsewhere", **CREDENTIALS)
    assert "Stack elsewhere does not exist" in said


def test_a_stack_that_lacks_an_output_is_to_be_deployed_again(front: AwsFront, tmp_path: Path) -> None:
    del front.outputs["PollFunctionName"]
    said = failure_of("poll", cwd=tmp_path, AWS_ENDPOINT_URL=front.url, **CREDENTIALS)
    assert "has no output PollFunctionName" in said


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    said = failure_of("poll", cwd=tmp_path, AWS_REGION="eu-central-1")
    assert said.startswith("No AWS credentials found: sign in")
    assert said.endswith("For a local stack: examhook local up, then source .local/env\n")


def test_missing_credentials_beside_a_local_stack_point_to_its_environment(tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "env").touch()
    said = failure_of("poll", cwd=tmp_path, AWS_REGION="eu-central-1")
    assert said.endswith("To use the local stack that is running: source .local/env\n")


def test_a_missing_region_is_named(tmp_path: Path) -> None:
    assert failure_of("poll", cwd=tmp_path).startswith("No AWS region is set: use --region")


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    assert "(nobody) could not be found" in failure_of("--profile", "nobody", "poll", cwd=tmp_path)


def test_a_refused_right_is_named(front: AwsFront, tmp_path: Path) -> None:
    message = "User: u is not authorized to perform: cloudformation:DescribeStacks on resource: r"
    front.refusal = (403, "AccessDenied", message)
    said = failure_of("poll", cwd=tmp_path, AWS_ENDPOINT_URL=front.url, **CREDENTIALS)
    assert said.startswith("AWS denied cloudformation:DescribeStacks to these credentials")


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_credentials_that_are_no_longer_good_are_to_be_renewed(front: AwsFront, tmp_path: Path, code: str) -> None:
    front.refusal = (403, code, "no")
    said = failure_of("poll", cwd=tmp_path, AWS_ENDPOINT_URL=front.url, **CREDENTIALS)
    assert said.startswith(f"AWS did not accept the credentials ({code}): sign in again")


def test_an_endpoint_that_nobody_answers_at_is_named(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        said = failure_of("poll", cwd=tmp_path, AWS_ENDPOINT_URL=url, AWS_MAX_ATTEMPTS="1", **CREDENTIALS)
    assert said.startswith(f"{url}/ is unreachable")


@pytest.mark.parametrize("args", [["nonsense"], ["poll", "--nonsense"], ["poll", "extra"], ["--stack"], ["listen"]])
def test_wrong_usage_exits_with_2_and_plain_text(args: list[str], tmp_path: Path) -> None:
    finished = real_examhook(*args, env={}, cwd=tmp_path)
    assert (finished.exit_code, finished.out) == (2, "")
    assert "Error: " in finished.err
    assert "\x1b" not in finished.err


def test_help_in_a_pipe_is_plain_text(tmp_path: Path) -> None:
    finished = real_examhook("poll", "--help", env={}, cwd=tmp_path)
    assert finished.exit_code == 0
    assert finished.out.isascii()
    assert "--full" in finished.out
