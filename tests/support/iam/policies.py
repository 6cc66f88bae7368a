"""Evaluates policies as IAM does: only what a statement allows is allowed, and a denial always wins.

It supports only the elements that the template uses and raises NotImplementedError for any other, so that no unchecked
element counts as allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Statement = Mapping[str, Any]
Context = Mapping[str, str]
_UNDERSTOOD = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one pattern of resources, out of a statement."""

    sid: str
    action: str
    resource: str

    def covers(self, action: str, resource: str) -> bool:
        """Whether the pattern matches."""
        return matches(self.action.lower(), action.lower()) and matches(self.resource, resource)


def matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: ``*`` for any run of characters, ``?`` for one."""
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def listed(value: Any) -> list[Any]:
    """One or many as many."""
    return list(value) if isinstance(value, list) else [value]


def grants(statements: Iterable[Statement]) -> Iterator[Grant]:
    """Every pair of an action and a resource that is allowed."""
    for statement in statements:
        _check(statement)
        if statement["Effect"] == "Allow":
            for action in listed(statement["Action"]):
                for resource in listed(statement.get("Resource", "*")):
                    yield Grant(statement.get("Sid", ""), action, resource)


def allows(statements: Iterable[Statement], action: str, resource: str, context: Context | None = None) -> bool:
    """Whether one may do ``action`` to ``resource`` under ``context`` (condition keys)."""
    decided = False
    for statement in statements:
        if any(grant.covers(action, resource) for grant in grants([{**statement, "Effect": "Allow"}])) and _holds(
            statement.get("Condition", {}), context or {}
        ):
            if statement["Effect"] == "Deny":
                return False
            decided = True
    return decided


def _check(statement: Statement) -> None:
    unknown = statement.keys() - _UNDERSTOOD
    if unknown:
        raise NotImplementedError(f"tests/support/iam/policies.py cannot judge {', '.join(sorted(unknown))} yet")


def _holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    return all(
        _compare(operator, context.get(key), listed(wanted))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _compare(operator: str, value: str | None, wanted: list[str]) -> bool:
    if operator.endswith("IfExists"):
        return value is None or _compare(operator.removesuffix("IfExists"), value, wanted)
    match operator:
        case "StringEquals" | "ArnEquals":
            return value in wanted
        case "ForAllValues:StringEquals":
            # True as well where the call has no such key.
            return value is None or set(value.split()) <= set(wanted)
        case "StringLike" | "ArnLike":
            return value is not None and any(matches(pattern, value) for pattern in wanted)
        case _:
            raise NotImplementedError(f"tests/support/iam/policies.py cannot judge {operator} yet")
