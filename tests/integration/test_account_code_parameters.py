"""The account code has exactly one source, and ``make deploy`` lets an operator choose it."""

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
    """The parameters after the guided questions; Enter for each question that ``answers`` omits."""
    typed = "".join(f"{answers.get(name, '')}\n" for name in raw_parameters())
    found: dict[str, Any] = in_sam(_ASK, typed)
    return found


def secret_and_whose(stack: StackTemplate) -> tuple[str | None, str]:
    """The value of the stack's own secret, and which secret Poll reads."""
    made = stack.of_type("AWS::SecretsManager::Secret").get("AccountCodeSecret", {})
    variables = stack.of_type("AWS::Lambda::Function")["PollFunction"]["Environment"]["Variables"]
    return made.get("SecretString"), variables["ACCOUNT_CODE_SECRET_ARN"]


def test_a_code_alone_is_stored_in_the_stacks_own_secret() -> None:
    stack = StackTemplate({"AccountCode": "a-code"})
    assert stack.refusals() == []
    assert secret_and_whose(stack) == ("a-code", MADE_SECRET)


@pytest.mark.parametrize("code", ["", "-"])
def test_an_existing_secret_is_read_and_none_is_created(code: str) -> None:
    stack = StackTemplate({"AccountCode": code, "AccountCodeSecretArn": OWN_SECRET})
    assert stack.refusals() == []
    assert secret_and_whose(stack) == (None, OWN_SECRET)


def test_a_code_with_a_secret_is_rejected() -> None:
    stack = StackTemplate({"AccountCode": "a-code", "AccountCodeSecretArn": OWN_SECRET})
    assert stack.refusals() == ["Set AccountCode or AccountCodeSecretArn, not both."]


@pytest.mark.parametrize("code", ["", "-"])
def test_a_missing_code_and_secret_is_rejected(code: str) -> None:
    stack = StackTemplate({"AccountCode": code})
    assert stack.refusals() == ["Set AccountCode or AccountCodeSecretArn."]
    assert secret_and_whose(stack)[0] is None, "a hyphen is no code"


def test_an_operator_with_a_secret_can_answer_the_guided_questions() -> None:
    """SAM accepts no empty answer to a hidden question, so a placeholder must mean "none"."""
    parameters = answered(AccountCode="-", AccountCodeSecretArn=OWN_SECRET)
    assert StackTemplate(parameters).refusals() == []
    assert secret_and_whose(StackTemplate(parameters)) == (None, OWN_SECRET)


def test_enter_answers_every_question_but_the_account_code() -> None:
    hidden = [name for name, each in raw_parameters().items() if each.get("NoEcho")]
    assert hidden == ["AccountCode"]
