"""What happens to an endpoint, written down by conditional updates: attempts, probes, warnings, notices.

Every method that changes what the operators should know takes the notice with it, so that the one
is never written without the other.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from examhook.delivery.endpoint import Endpoint, EndpointStatus, Notice
from examhook.storage.attributes import as_number
from examhook.storage.conditional import if_it_holds
from examhook.storage.endpoint_item import endpoint_from_item, notice_value

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

    Values = dict[str, AttributeValueTypeDef]

_EXISTS = "attribute_exists(endpoint_id)"
_APPEND_NOTICE = "notices = list_append(if_not_exists(notices, :no_notices), :notice)"


class EndpointHealthWrites:
    """The part of the Endpoints table that attempts and ticks write."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def record_outcome(
        self, endpoint_id: str, at: int, error: str | None, slowed_until: int | None = None
    ) -> Endpoint | None:
        """Write how an attempt that ended at ``at`` went: ``error`` in words, or None for a success.

        ``slowed_until``: until when (Unix seconds) it is to be served slowly.

        Returns the endpoint as it was before, so that exactly one caller sees it recover; None if it is gone.
        """
        if error is None:
            return self._update(
                endpoint_id,
                update="SET last_success_at = :at REMOVE failing_since, consecutive_failures, probe_until",
                values={":at": as_number(at)},
            )
        update = (
            "SET last_failure_at = :at, last_error = :error, failing_since = if_not_exists(failing_since, :at),"
            " consecutive_failures = if_not_exists(consecutive_failures, :zero) + :one"
        )
        values: Values = {":at": as_number(at), ":error": {"S": error}, ":zero": as_number(0), ":one": as_number(1)}
        if slowed_until is not None:
            update += ", slowed_until = :slowed"
            values[":slowed"] = as_number(slowed_until)
        return self._update(endpoint_id, update=update, values=values)

    def claim_probe(self, endpoint_id: str, now: int, until: int) -> bool:
        """Take the right to try an endpoint that is down; False while someone else's lasts (until ``until``)."""
        before = self._update(
            endpoint_id,
            update="SET probe_until = :until",
            condition="(attribute_not_exists(probe_until) OR probe_until <= :now)",
            values={":until": as_number(until), ":now": as_number(now)},
        )
        return before is not None

    def take_rate_slot(self, seen: Endpoint, now: float, step_s: float, ahead_s: float) -> float | None:
        """Take the next ``step_s`` seconds of an endpoint's pace: when they begin (Unix seconds), ``now`` at the least.

        None, and nothing taken, where those of the next ``ahead_s`` seconds are taken already.
        """
        values = {":now": _seconds(now)}
        if (seen.health.paced_until or 0) <= now:
            free = self._update(
                seen.endpoint_id,
                update="SET paced_until = :until",
                condition="(attribute_not_exists(paced_until) OR paced_until <= :now)",
                values={**values, ":until": _seconds(now + step_s)},
            )
            if free is not None:
                return now
        behind = self._update(
            seen.endpoint_id,
            update="SET paced_until = paced_until + :step",
            condition="paced_until > :now AND paced_until <= :most",
            values={**values, ":step": _seconds(step_s), ":most": _seconds(now + ahead_s)},
        )
        return None if behind is None else behind.health.paced_until

    def set_draining(self, endpoint_id: str, *, draining: bool) -> None:
        """Remember that a recovered endpoint is still owed what waited for it, or that it has been given all."""
        update = "SET draining = :true" if draining else "REMOVE draining"
        self._update(endpoint_id, update=update, values={":true": {"BOOL": True}} if draining else {})

    def disable(
        self,
        endpoint_id: str,
        reason: str,
        at: int,
        notice: Notice | None = None,
        only_if_failing_since: int | None = None,
    ) -> Endpoint | None:
        """Send nothing more to an endpoint, and say why; returns it as it was before.

        None, and nothing written, if it is disabled or gone, or if it took an event after
        ``only_if_failing_since`` (Unix seconds).
        """
        update = "SET #status = :disabled, disabled_reason = :reason, disabled_at = :at"
        condition = "#status <> :disabled"
        values: Values = {
            ":disabled": {"S": EndpointStatus.DISABLED.value},
            ":reason": {"S": reason},
            ":at": as_number(at),
        }
        if notice is not None:
            update += f", {_APPEND_NOTICE}"
            values |= _appended(notice)
        if only_if_failing_since is not None:
            condition += " AND failing_since = :since"
            values[":since"] = as_number(only_if_failing_since)
        names = {"#status": "status"}
        return self._update(endpoint_id, update=update, condition=condition, values=values, names=names)

    def warn(self, seen: Endpoint, at: int, notice: Notice) -> Endpoint | None:
        """Remember that the operators are warned of the failures that ``seen`` shows; None if that is out of date."""
        health = seen.health
        warned = "attribute_not_exists(warned_at)" if health.warned_at is None else "warned_at = :warned_at"
        values: Values = {":at": as_number(at), ":since": as_number(health.failing_since or 0), **_appended(notice)}
        if health.warned_at is not None:
            values[":warned_at"] = as_number(health.warned_at)
        return self._update(
            seen.endpoint_id,
            update=f"SET warned_at = :at, warned_since = :since, {_APPEND_NOTICE}",
            condition=f"failing_since = :since AND {warned}",
            values=values,
        )

    def end_warning(self, seen: Endpoint, notice: Notice) -> Endpoint | None:
        """Remember that what ``seen`` was warned of is over; None if that is out of date."""
        return self._update(
            seen.endpoint_id,
            update=f"SET {_APPEND_NOTICE} REMOVE warned_at, warned_since",
            condition="warned_since = :since",
            values={":since": as_number(seen.health.warned_since or 0), **_appended(notice)},
        )

    def drop_notices(self, endpoint_id: str, published: tuple[Notice, ...]) -> None:
        """Take away the oldest notices, which are published; nothing happens if another did so."""
        if published:
            self._update(
                endpoint_id,
                update="REMOVE " + ", ".join(f"notices[{place}]" for place in range(len(published))),
                condition="notices[0] = :first",
                values={":first": notice_value(published[0])},
            )

    def _update(
        self,
        endpoint_id: str,
        *,
        update: str,
        condition: str | None = None,
        values: Values,
        names: dict[str, str] | None = None,
    ) -> Endpoint | None:
        """The endpoint before a conditional update; None if the condition did not hold or the endpoint is gone."""
        request: UpdateItemInputTypeDef = {
            "TableName": self._table_name,
            "Key": {"endpoint_id": {"S": endpoint_id}},
            "UpdateExpression": update,
            "ConditionExpression": _EXISTS if condition is None else f"{_EXISTS} AND {condition}",
            "ReturnValues": "ALL_OLD",
        }
        if values:
            request["ExpressionAttributeValues"] = values
        if names:
            request["ExpressionAttributeNames"] = names
        answer = if_it_holds(self._client.update_item, **request)
        return None if answer is None else endpoint_from_item(answer["Attributes"])


def _appended(notice: Notice) -> Values:
    return {":no_notices": {"L": []}, ":notice": {"L": [notice_value(notice)]}}


def _seconds(value: float) -> AttributeValueTypeDef:
    return {"N": f"{value:.3f}"}
