"""Checks of the DynamoDB tables."""

from __future__ import annotations

from collections.abc import Iterator

from examhook_cli.doctor.finding import DEPLOY_AGAIN, Finding, ok, problem, warning
from examhook_cli.doctor.inspected_stack import InspectedStack

TABLES = ("Submissions", "Exams", "Endpoints", "Events", "Deliveries")
EXPIRING = frozenset({"Events", "Deliveries"})
"""Tables whose items expire after the retention time."""
_STREAMED = frozenset({"Submissions"})
_ENABLE = "Enable it, or deploy the stack again."


def table(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Whether a table is usable and has the stream that Dispatch reads."""
    description = stack.installation.dynamodb.describe_table(TableName=stack.output(f"{name}TableName"))["Table"]
    status = description.get("TableStatus", "")
    if status not in {"ACTIVE", "UPDATING"}:
        yield problem(f"The table is not usable ({status}).", DEPLOY_AGAIN)
    elif name in _STREAMED and not description.get("StreamSpecification", {}).get("StreamEnabled"):
        yield problem("The stream is disabled, so no event is announced.", DEPLOY_AGAIN)
    else:
        yield ok(f"The table has about {description.get('ItemCount', 0)} items.")


def backups(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Whether point-in-time recovery is enabled."""
    response = stack.installation.dynamodb.describe_continuous_backups(TableName=stack.output(f"{name}TableName"))
    recovery = response["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") == "ENABLED":
        yield ok("Point-in-time recovery is enabled.")
    else:
        yield warning("Point-in-time recovery is disabled: accidental deletions are permanent.", _ENABLE)


def expiry(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Whether items expire."""
    response = stack.installation.dynamodb.describe_time_to_live(TableName=stack.output(f"{name}TableName"))
    time_to_live = response["TimeToLiveDescription"]
    is_enabled = time_to_live.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    if is_enabled and time_to_live.get("AttributeName") == "expires_at":
        yield ok("Items expire after the retention time.")
    else:
        yield warning("Items never expire: time to live by expires_at is disabled.", _ENABLE)
