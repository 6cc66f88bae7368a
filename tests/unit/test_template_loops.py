"""Functions that write to the queue which invokes them: Lambda stops such loops after 16 rounds unless it is told.

Poll writes to its queue of ticks too, and never for a message of it (test_poll_ticks.py), so its chain has one round.
Lambda stays on guard there.
"""

from __future__ import annotations

from typing import Any

from tests.support.template.source_template import RESOURCES


def attribute_of(value: object) -> str:
    """The resource whose ARN ``value`` gets; empty where it is something else."""
    arn = value.get("Fn::GetAtt") if isinstance(value, dict) else None
    return str(arn[0]) if isinstance(arn, list) and arn[1] == "Arn" else ""


def sends_to(role: dict[str, Any]) -> set[str]:
    """The queues that a role may send to."""
    statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    sending = [each for each in statements if "sqs:SendMessage" in each["Action"]]
    resources = [each["Resource"] for each in sending]
    return {attribute_of(one) for each in resources for one in (each if isinstance(each, list) else [each])}


ONE_ROUND = {"PollFunction"}


def test_exactly_the_functions_that_feed_their_own_queue_again_and_again_may_loop() -> None:
    functions = {
        name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == "AWS::Serverless::Function"
    }
    looping = set()
    for name, function in functions.items():
        sources = function.get("Events", {}).values()
        queues = {attribute_of(each["Properties"].get("Queue")) for each in sources if each["Type"] == "SQS"}
        if queues & sends_to(RESOURCES[attribute_of(function["Role"])]["Properties"]):
            looping.add(name)
    assert looping == {"DispatchFunction", "DeliverFunction"} | ONE_ROUND
    allowed = {name for name, function in functions.items() if function.get("RecursiveLoop") == "Allow"}
    assert allowed == looping - ONE_ROUND
