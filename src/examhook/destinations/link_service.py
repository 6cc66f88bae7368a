"""Deliver's way to fresh result links: the Links function, which alone may ask the provider for them.

Whatever goes wrong is no link: a delivery does not fail for want of one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from examhook.events.result_link import ResultLink

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

NO_ANSWER_QUIET_S = 30.0
"""When Links itself does not answer, it is not asked for so long."""
LONGEST_QUIET_S = 60.0


@dataclass(frozen=True, slots=True)
class Renewal:
    """What Links answered."""

    link: ResultLink | None = None
    busy: bool = False
    """Asking again soon helps."""
    quiet_s: float = 0.0
    """The account's provider is not asked for so long."""


@dataclass(slots=True)
class LinkService:
    """Asks Links, unless it said a moment ago that the account's provider is left alone."""

    client: LambdaClient
    function_name: str
    monotonic: Callable[[], float]
    _quiet_until: dict[str, float] = field(default_factory=dict)

    def renew(self, event_id: str, account: str) -> Renewal:
        """A fresh link for an event of ``account``, if one is to be had."""
        if self.monotonic() < self._quiet_until.get(account, 0.0):
            return Renewal()
        renewal = self._ask(event_id)
        if renewal.quiet_s > 0:
            # No longer than this: Links knows it for all processes, and when it is over.
            self._quiet_until[account] = self.monotonic() + min(renewal.quiet_s, LONGEST_QUIET_S)
        return renewal

    def _ask(self, event_id: str) -> Renewal:
        try:
            answer = self.client.invoke(
                FunctionName=self.function_name, Payload=json.dumps({"event_id": event_id}).encode()
            )
            said = None if answer.get("FunctionError") else json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError, ValueError):
            said = None
        match said:
            case {"url": str(url), "expires_at": int(expires_at)}:
                return Renewal(ResultLink(url, expires_at))
            case {"busy": bool(busy), "quiet_s": int(quiet_s) | float(quiet_s)}:
                return Renewal(busy=busy, quiet_s=float(quiet_s))
            case _:
                return Renewal(quiet_s=NO_ANSWER_QUIET_S)
