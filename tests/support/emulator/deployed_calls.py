"""The calls of a deployed stack's functions, from the emulator's own record of all requests.

Each function signs with the key of its role's session, which identifies the function. A request that the emulator
rejected is not in the record: the emulator enforces the deployed roles, so it shows as an error of the function.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from examhook_cli.stack import DEFAULT_STACK_NAME
from tests.support.emulator.local_installation import LocalInstallation
from tests.support.iam.aws_actions import Need, needs_of_call
from tests.support.iam.call_recorder import Call
from tests.support.iam.rights import functions
from tests.support.template.translated_template import arn_of

_TIMEOUT_S = 10
_KINDS = {"DynamoDB", "KMS", "Lambda", "SNS", "SQS", "SecretsManager"}


@dataclass
class DeployedCalls:
    """The record of one installation, from when it is made."""

    installation: LocalInstallation
    _names: dict[str, str] = field(default_factory=dict)
    """ARNs as in the translated template, by the last part of each resource's own name; of those that are gone too."""
    _handlers: dict[str, str] = field(default_factory=dict)
    """Module of each function's handler, by the access key with which the function signs."""
    _known: set[str] = field(default_factory=set)
    """The functions whose key is known, by their own names."""
    _since: float = 0.0
    _until: float | None = None
    """Where the next request for the record begins, going back in time."""

    def __post_init__(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            url = f"{self.installation.url}/_ministack/config"
            answer = session.post(url, json={"cloudtrail._recording_enabled": "true"}, timeout=_TIMEOUT_S)
            answer.raise_for_status()
        made, url = self.installation.session, self.installation.url
        self._functions = made.client("lambda", endpoint_url=url)
        self._stacks = made.client("cloudformation", endpoint_url=url)
        self._trail = made.client("cloudtrail", endpoint_url=url)
        self._trail.meta.events.register("before-call.cloudtrail.LookupEvents", self._to_the_microsecond)
        self._learn()

    def new(self) -> set[Call]:
        """The functions' calls since the last call of this method; resources have their names in the template."""
        self._learn()
        calls: set[Call] = set()
        newest = self._since
        for access_key, handler in self._handlers.items():
            for event in self._record(access_key):
                newest = max(newest, event["EventTime"].timestamp())
                calls.add(self._call(handler, json.loads(event["CloudTrailEvent"]), event))
        # What came within the same second is read twice rather than never.
        self._since = max(newest - 1, 0.0)
        return calls

    def _record(self, access_key: str) -> Iterator[Mapping[str, Any]]:
        """Calls signed with this key, newest first: the emulator returns fifty at a time and accepts no token."""
        attributes = [{"AttributeKey": "AccessKeyId", "AttributeValue": access_key}]
        seen: set[str] = set()
        self._until = None
        while True:
            answer = self._trail.lookup_events(
                LookupAttributes=attributes, **({"StartTime": self._since} if self._since else {})
            )
            fresh = [event for event in answer["Events"] if event["EventId"] not in seen]
            if not fresh:
                return
            yield from fresh
            seen |= {event["EventId"] for event in fresh}
            self._until = fresh[-1]["EventTime"].timestamp()

    def _to_the_microsecond(self, params: dict[str, Any], **_: object) -> None:
        """Ask for events until an instant; botocore cuts it to seconds, and a second may hold more than one answer."""
        if self._until is not None:
            params["body"] = json.dumps({**json.loads(params["body"]), "EndTime": self._until}).encode()

    def _learn(self) -> None:
        pages = self._stacks.get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=DEFAULT_STACK_NAME):
            for resource in page["StackResourceSummaries"]:
                logical, kind = resource["LogicalResourceId"], resource["ResourceType"]
                own = resource["PhysicalResourceId"]
                if kind.split("::")[1] in _KINDS and not kind.endswith(("Mapping", "Config", "Subscription", "Policy")):
                    self._names[_last(own)] = arn_of(logical, kind)
                if kind == "AWS::Lambda::Function" and own not in self._known:
                    self._known.add(own)
                    facts = self._functions.get_function_configuration(FunctionName=own)
                    self._handlers[_access_key(facts)] = functions()[logical]

    def _call(self, handler: str, told: Mapping[str, Any], event: Mapping[str, Any]) -> Call:
        service = told["eventSource"].split(".")[0]
        params = dict(told["requestParameters"] or {})
        if service == "lambda":
            params["FunctionName"] = event["Resources"][0]["ResourceName"]
        # A request in the query protocol names its operation among the parameters.
        operation = str(params.get("Action", told["eventName"]))
        return Call(handler, service, operation, tuple(self._named(service, operation, params)))

    def _named(self, service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
        for need in needs_of_call(service, operation, params):
            own = _last(need.resource)
            # Secrets Manager adds six characters to a secret's name.
            known = self._names.get(own) or self._names.get(own[:-7])
            yield replace(need, resource=known or need.resource)


def _access_key(facts: Mapping[str, Any]) -> str:
    """The emulator derives it from the function and its role; a test sees to it that this is still so."""
    digest = hashlib.sha256(f"{facts['FunctionArn']}:{facts['Role']}".encode()).hexdigest()
    return f"ASIA{digest[:16].upper()}"


def _last(name: str) -> str:
    return name.replace("/", ":").rsplit(":", 1)[-1]
