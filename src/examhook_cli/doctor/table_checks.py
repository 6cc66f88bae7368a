"""Whether each table is there and is kept as the template says."""

from __future__ import annotations

from collections.abc import Iterator

from examhook_cli.doctor.finding import Finding, Verdict
from examhook_cli.doctor.inspected_stack import Patient

TABLES = ("Submissions", "Exams", "Endpoints", "Events", "Deliveries")
EXPIRING = frozenset({"Events", "Deliveries"})
"""Tables whose items go when their retention ends."""
STREAMED = frozenset({"Submissions"})
_DEPLOY = "Deploy the stack again."


def table(patient: Patient, name: str) -> Iterator[Finding]:
    """Whether a table can be used, and whether its stream is on where Dispatch lives on it."""
    check = f"table {name}"
    described = patient.dynamodb.describe_table(TableName=patient.output(f"{name}TableName"))["Table"]
    status = described.get("TableStatus", "")
    stream = described.get("StreamSpecification", {})
    if status not in {"ACTIVE", "UPDATING"}:
        yield Finding(check, Verdict.PROBLEM, f"It cannot be used ({status}).", _DEPLOY)
    elif name in STREAMED and not stream.get("StreamEnabled"):
        yield Finding(check, Verdict.PROBLEM, "Its stream is off, so nothing is announced.", _DEPLOY)
    else:
        yield Finding(check, Verdict.OK, f"It is there, with about {described.get('ItemCount', 0)} items.")


def backups(patient: Patient, name: str) -> Iterator[Finding]:
    """Whether a table can be restored to any second of the last weeks."""
    check = f"backups of {name}"
    table_name = patient.output(f"{name}TableName")
    described = patient.dynamodb.describe_continuous_backups(TableName=table_name)["ContinuousBackupsDescription"]
    recovery = described.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if recovery == "ENABLED":
        yield Finding(check, Verdict.OK, "Point-in-time recovery is on.")
    else:
        said = "Point-in-time recovery is off: what is deleted by mistake cannot be brought back."
        yield Finding(check, Verdict.WARNING, said, "Switch it on, or deploy the stack again.")


def expiry(patient: Patient, name: str) -> Iterator[Finding]:
    """Whether old items of a table go."""
    check = f"expiry of {name}"
    table_name = patient.output(f"{name}TableName")
    described = patient.dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    status, attribute = described.get("TimeToLiveStatus"), described.get("AttributeName")
    if status in {"ENABLED", "ENABLING"} and attribute == "expires_at":
        yield Finding(check, Verdict.OK, "Old items go when their retention ends.")
    else:
        said = "Old items stay for ever: expiry by expires_at is off."
        yield Finding(check, Verdict.WARNING, said, "Switch it on, or deploy the stack again.")
