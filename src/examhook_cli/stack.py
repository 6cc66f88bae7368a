"""Finding an installation: the outputs of its CloudFormation stack, by the stack's name.

Everything that a command needs to know (tables, topics, queues, functions) is an output of
``template.yaml``; nothing is guessed from names.

::

    StackError
    ├── StackNotFoundError     no stack of that name in this account and region; deploy it or name another
    ├── StackNotReadyError     being made, being removed or rolled back; trying again later can help
    └── MissingOutputError     deployed from an older or other template; deploy it again

Errors of botocore (credentials, rights, network) pass through as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_cloudformation import CloudFormationClient

DEFAULT_STACK_NAME = "examhook"
"""Name of a stack when nobody named one."""

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
    """The stack cannot be used; the message says why and what to do."""


class StackNotFoundError(StackError):
    """There is no stack of that name here."""


class StackNotReadyError(StackError):
    """The stack exists, but not in a state in which its parts can be used."""


class MissingOutputError(StackError):
    """The stack lacks an output that this version of the command line needs."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its name and its outputs (``SubmissionsTableName``, ``DeliveryQueueUrl``, …)."""

    name: str
    outputs: Mapping[str, str]

    def output(self, key: str) -> str:
        """Value of one output; raises MissingOutputError."""
        try:
            return self.outputs[key]
        except KeyError:
            raise MissingOutputError(
                f"Stack {self.name} has no output {key}: it was deployed from another version. Deploy it again."
            ) from None

    def flag(self, key: str) -> bool:
        """An output that holds ``true`` or ``false``; raises MissingOutputError."""
        return self.output(key) == "true"


def find_stack(session: Session, name: str) -> Stack:
    """The stack called ``name`` in the session's account and region; raises StackError and botocore's errors."""
    return read_stack(session.client("cloudformation"), name)


def read_stack(client: CloudFormationClient, name: str) -> Stack:
    """``find_stack`` by a client that is there already."""
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no error code of its own for this; its message is "Stack with id … does not exist".
        if "does not exist" in error.response.get("Error", {}).get("Message", ""):
            stacks = []
        else:
            raise
    if not stacks:
        raise StackNotFoundError(
            f"There is no stack {name} in region {client.meta.region_name}: "
            "deploy it (make deploy, or examhook local up), or name another with --stack."
        )
    status = stacks[0]["StackStatus"]
    if status not in _READY:
        raise StackNotReadyError(f"Stack {name} is in state {status}: wait until it is done, or deploy it again.")
    return Stack(
        name=name,
        outputs={
            output["OutputKey"]: output["OutputValue"]
            for output in stacks[0].get("Outputs", [])
            if "OutputKey" in output and "OutputValue" in output
        },
    )
