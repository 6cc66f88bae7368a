"""The account code comes from exactly one place, and "make deploy" lets an operator name either."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.template.translated_template import REGION, StackTemplate, arn_of, in_sam, raw_parameters

OWN_SECRET = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:own-AbCdEf"
MADE_SECRET = arn_of("AccountCodeSecret", "AWS::SecretsManager::Secret")

# What "sam deploy --guided" asks and takes, by its own code; an answer that it does not take is asked for again.
_ASK = """
import json, sys
import click
from click.testing import CliRunner
from samcli.commands._utils.template import get_template_parameters
from samcli.commands.deploy.guided_context import GuidedContext
given = {}
@click.command()
def ask():
    context = GuidedContext(sys.argv[1], "examhook", None, None, None, None)
    given.update(context.prompt_parameters(get_template_parameters(sys.argv[1]), {}, "", ""))
done = CliRunner().invoke(ask, input=sys.stdin.read())
assert done.exit_code == 0, done.output[-300:]
print(json.dumps({name: each["Value"] for name, each in given.items()}))
"""


def answered(**answers: str) -> dict[str, Any]:
    """The parameters after the guided questions; Enter for each that ``answers`` does not name."""
    typed = "".join(f"{answers.get(name, '')}\n" for name in raw_parameters())
    found: dict[str, Any] = in_sam(_ASK, typed)
    return found


def secret_and_whose(stack: StackTemplate) -> tuple[str | None, str]:
    """What the stack puts into a secret of its own, and which secret Poll reads."""
    made = stack.of_type("AWS::SecretsManager::Secret").get("AccountCodeSecret", {})
    variables = stack.of_type("AWS::Lambda::Function")["PollFunction"]["Environment"]["Variables"]
    return made.get("SecretString"), variables["ACCOUNT_CODE_SECRET_ARN"]


def test_a_code_alone_is_put_into_a_secret_of_the_stacks_own() -> None:
    stack = StackTemplate({"AccountCode": "a-code"})
    assert stack.refusals() == []
    assert secret_and_whose(stack) == ("a-code", MADE_SECRET)


@pytest.mark.parametrize("code", ["", "-"])
def test_a_secret_that_exists_is_read_and_none_is_made(code: str) -> None:
    stack = StackTemplate({"AccountCode": code, "AccountCodeSecretArn": OWN_SECRET})
    assert stack.refusals() == []
    assert secret_and_whose(stack) == (None, OWN_SECRET)


def test_a_code_and_a_secret_are_refused() -> None:
    stack = StackTemplate({"AccountCode": "a-code", "AccountCodeSecretArn": OWN_SECRET})
    assert stack.refusals() == ["Set AccountCode or AccountCodeSecretArn, not both."]


@pytest.mark.parametrize("code", ["", "-"])
def test_neither_a_code_nor_a_secret_is_refused(code: str) -> None:
    stack = StackTemplate({"AccountCode": code})
    assert stack.refusals() == ["Set AccountCode or AccountCodeSecretArn."]
    assert secret_and_whose(stack)[0] is None, "a hyphen is no code"


def test_whoever_has_a_secret_gets_through_the_guided_questions() -> None:
    """SAM takes no empty answer for what it hides, so something must stand for "none"."""
    parameters = answered(AccountCode="-", AccountCodeSecretArn=OWN_SECRET)
    assert StackTemplate(parameters).refusals() == []
    assert secret_and_whose(StackTemplate(parameters)) == (None, OWN_SECRET)


def test_the_account_code_is_the_only_question_that_enter_does_not_answer() -> None:
    hidden = [name for name, each in raw_parameters().items() if each.get("NoEcho")]
    assert hidden == ["AccountCode"]
