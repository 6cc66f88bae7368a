"""Waking the functions of a fresh stack, so that the first thing that happens does not wait for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from examhook_cli.errors import DeployError
from examhook_cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_WAKE_UPS = {
    # Makes the endpoints of the WebhookUrls parameter.
    "RetryFunctionName": {"trigger": "manual"},
    # No records, nothing to do. Poll is left to its schedule: waking it would ask the provider.
    "DispatchFunctionName": {"Records": []},
    "DeliverFunctionName": {"Records": []},
}


def wake(stack: Stack, client: LambdaClient) -> None:
    """Run each function once with nothing to do; raises DeployError if one of them cannot start."""
    for output, payload in _WAKE_UPS.items():
        answer = client.invoke(FunctionName=stack.output(output), Payload=json.dumps(payload).encode())
        if answer.get("FunctionError"):
            said = json.loads(answer["Payload"].read())
            reason = said.get("errorMessage", "no reason given") if isinstance(said, dict) else "no reason given"
            name = output.removesuffix("FunctionName")
            raise DeployError(f"{name} does not work: {reason}. See examhook local logs.")
