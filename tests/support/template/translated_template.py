"""The template as CloudFormation sees it: translated by SAM, every reference resolved as in a deployed stack.

Physical names are those of the templates' logical ones, so that a policy's ARN says what it means.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
ACCOUNT_ID, REGION, STACK = "123456789012", "eu-central-1", "examhook"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
_NO_VALUE = object()

# sam's own environment holds its translator; no other needs it.
_TRANSLATE = """
import json, sys
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
class Policies:
    def load(self):
        return {}
template = yaml_parse(open(sys.argv[1]).read())
template["Globals"]["Function"]["CodeUri"] = "s3://packed/by-sam"
json.dump(transform(template, {}, Policies()), sys.stdout)
"""


def in_sam(code: str, typed: str = "") -> Any:
    """Parsed JSON output of ``code``, run by SAM's own Python with the template as argument and ``typed`` as input."""
    done = subprocess.run(
        [str(ROOT / ".venv-sam/bin/python"), "-c", code, str(ROOT / "template.yaml")],
        env={"AWS_DEFAULT_REGION": REGION, "SAM_CLI_TELEMETRY": "0"},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@cache
def _translated() -> Mapping[str, Any]:
    translated: Mapping[str, Any] = in_sam(_TRANSLATE)
    return translated


def raw_resources() -> Mapping[str, Any]:
    """The resources of the translated template, without resolving references."""
    raw: Mapping[str, Any] = _translated()["Resources"]
    return raw


def raw_parameters() -> Mapping[str, Any]:
    """The parameters as the template declares them, in its order."""
    raw: Mapping[str, Any] = _translated()["Parameters"]
    return raw


@dataclass(frozen=True)
class StackTemplate:
    """A deployed stack, as far as its template defines it."""

    parameters: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources for the parameters, by logical name, completely resolved."""
        raw = _translated()["Resources"]
        return {
            name: {**found, "Properties": self.resolve(found.get("Properties", {}))}
            for name, found in raw.items()
            if "Condition" not in found or self.holds(found["Condition"])
        }

    def of_type(self, wanted: str) -> dict[str, Any]:
        """Properties of the resources of one type, by logical name."""
        return {name: found["Properties"] for name, found in self.resources.items() if found["Type"] == wanted}

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true."""
        return bool(self.resolve(_translated()["Conditions"][condition]))

    def refusals(self) -> list[str]:
        """Violated rules of the template; empty if CloudFormation accepts the parameters."""
        return [
            str(assertion["AssertDescription"])
            for rule in _translated()["Rules"].values()
            if self.resolve(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.resolve(assertion["Assert"])
        ]

    def resolve(self, value: Any) -> Any:
        """``value`` with every intrinsic function evaluated."""
        if isinstance(value, list):
            return [found for found in map(self.resolve, value) if found is not _NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, given),) = value.items()
            if name == "Ref" or name.startswith("Fn::") or (name == "Condition" and isinstance(given, str)):
                return self._call(name, given)
        resolved = {key: self.resolve(found) for key, found in value.items()}
        return {key: found for key, found in resolved.items() if found is not _NO_VALUE}

    def _call(self, name: str, given: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.holds,
            "Fn::GetAtt": lambda at: self._attribute(*(at if isinstance(at, list) else at.split(".", 1))),
            "Fn::Sub": self._sub,
            "Fn::If": lambda cases: self.resolve(cases[1] if self.holds(cases[0]) else cases[2]),
            "Fn::Equals": lambda sides: self.resolve(sides[0]) == self.resolve(sides[1]),
            "Fn::Not": lambda negated: not self.resolve(negated[0]),
            "Fn::And": lambda all_of: all(map(self.resolve, all_of)),
            "Fn::Or": lambda any_of: any(map(self.resolve, any_of)),
            "Fn::Select": lambda parts: self.resolve(parts[1])[int(parts[0])],
            "Fn::Split": lambda parts: str(self.resolve(parts[1])).split(parts[0]),
            "Fn::Join": lambda parts: parts[0].join(map(str, self.resolve(parts[1]))),
        }
        if name not in functions:
            raise NotImplementedError(f"tests/support/template/translated_template.py cannot work out {name} yet")
        return functions[name](given)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in raw_parameters():
            return self.parameters.get(name, str(raw_parameters()[name].get("Default", "")))
        return ref_of(name, _translated()["Resources"][name]["Type"])

    def _attribute(self, name: str, attribute: str) -> str:
        return attribute_of(name, _translated()["Resources"][name]["Type"], attribute)

    def _sub(self, given: Any) -> str:
        text, names = given if isinstance(given, list) else (given, {})
        parts = str(text).split("${")
        out = parts[0]
        for part in parts[1:]:
            named, rest = part.split("}", 1)
            if named in names:
                found = self.resolve(names[named])
            else:
                found = self._attribute(*named.split(".", 1)) if "." in named else self._ref(named)
            out += f"{found}{rest}"
        return out


def ref_of(name: str, kind: str) -> str:
    """The value of ``Ref`` for a resource."""
    match kind:
        case "AWS::SNS::Topic" | "AWS::SecretsManager::Secret":
            return arn_of(name, kind)
        case "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}"
        case "AWS::Logs::LogGroup":
            return f"/examhook/{STACK}/{name.removesuffix('Logs').lower()}"
        case _:
            return name


def attribute_of(name: str, kind: str, attribute: str) -> str:
    """The value of ``GetAtt`` for a resource."""
    match attribute:
        case "Arn" | "Id" | "TopicArn":
            return arn_of(name, kind)
        case "StreamArn":
            return f"{arn_of(name, kind)}/stream/2026-01-01T00:00:00.000"
        case "QueueName" | "TopicName":
            return name
        case _:
            raise NotImplementedError(
                f"tests/support/template/translated_template.py does not know {kind}'s {attribute} yet"
            )


_ARNS = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{at}:alarm:" + STACK + "-{name}",
    "AWS::DynamoDB::Table": "dynamodb:{at}:table/{name}",
    "AWS::Events::EventBus": "events:{at}:event-bus/{name}",
    "AWS::IAM::Role": "iam::" + ACCOUNT_ID + ":role/{name}",
    "AWS::KMS::Key": "kms:{at}:key/{name}",
    "AWS::Lambda::Function": "lambda:{at}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{at}:log-group:{ref}:*",
    "AWS::SNS::Topic": "sns:{at}:{name}",
    "AWS::SQS::Queue": "sqs:{at}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{at}:secret:{name}",
}


def arn_of(name: str, kind: str) -> str:
    """The ARN of a resource; raises NotImplementedError for an unsupported type."""
    if kind not in _ARNS:
        raise NotImplementedError(f"tests/support/template/translated_template.py does not know the ARN of {kind} yet")
    ref = ref_of(name, kind) if kind == "AWS::Logs::LogGroup" else name
    return "arn:aws:" + _ARNS[kind].format(at=f"{REGION}:{ACCOUNT_ID}", name=name, ref=ref)
