"""Looks up a CloudFormation stack and its outputs, which name the tables, topics, queues and functions.

::

    StackError
    ├── StackNotFoundError     this account and region have no such stack; deploy it or choose another
    ├── StackNotReadyError     an operation is in progress or failed; a later retry can help
    └── MissingOutputError     deployed from another version of the template; deploy it again
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

DEFAULT_STACK_NAME = "examhook"

_READY = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
    }
)


class StackError(Exception):
    """The stack is not usable; the message says why and what to do."""


class StackNotFoundError(StackError):
    """The account and region have no stack of this name."""


class StackNotReadyError(StackError):
    """The stack exists, but its resources may not."""


class MissingOutputError(StackError):
    """This version needs an output that the stack does not have."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack and its outputs (``SubmissionsTableName``, ``DeliveryQueueUrl``, …)."""

    name: str
    outputs: Mapping[str, str]
    status: str
    """CloudFormation's status, such as ``UPDATE_COMPLETE``."""

    def output(self, key: str) -> str:
        """Value of one output; raises MissingOutputError."""
        try:
            return self.outputs[key]
        except KeyError:
            raise MissingOutputError(
                f"Stack {self.name} has no output {key}: deploy it again with this version."
            ) from None

    def flag(self, key: str) -> bool:
        """Whether an output is ``true``; raises MissingOutputError."""
        return self.output(key) == "true"


def read_stack(client: CloudFormationClient, name: str) -> Stack:
    """The stack ``name`` in the client's account and region; raises StackError and botocore's errors."""
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no specific error code for this; the message is "Stack with id … does not exist".
        if "does not exist" not in error.response.get("Error", {}).get("Message", ""):
            raise
        stacks = []
    if not stacks:
        raise StackNotFoundError(
            f"Stack {name} does not exist in region {client.meta.region_name}: "
            "deploy it (make deploy, or examhook local up), or choose another with --stack."
        )
    status = stacks[0]["StackStatus"]
    if status not in _READY:
        raise StackNotReadyError(
            f"Stack {name} is in state {status}: wait until the operation completes, or deploy the stack again."
        )
    return Stack(
        name=name,
        outputs={
            output["OutputKey"]: output["OutputValue"]
            for output in stacks[0].get("Outputs", [])
            if "OutputKey" in output and "OutputValue" in output
        },
        status=status,
    )
