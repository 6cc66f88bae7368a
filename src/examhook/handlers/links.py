"""Links' entry point: Deliver asks for a fresh link for one event."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TypedDict

from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.links import links
from examhook.workflows.links import RenewLinks

logger = logger_for("links")


class LinkWish(TypedDict):
    """What Deliver passes in."""

    event_id: str


class LinkBody(TypedDict):
    """What Deliver is told."""

    url: str | None
    expires_at: int | None
    busy: bool
    quiet_s: float


@cache
def _workflow() -> RenewLinks:
    return links(os.environ)


def handler(event: LinkWish, context: object) -> LinkBody:  # noqa: ARG001 - Lambda passes both
    """A fresh link for the event, or none; raises what AWS raises."""
    began_at = time.monotonic()
    answer = _workflow().run(event["event_id"])
    log_outcome(
        logger,
        "link",
        event_id=event["event_id"],
        outcome="busy" if answer.busy else "none" if answer.link is None else "renewed",
        reason=answer.reason,
        duration_ms=round((time.monotonic() - began_at) * 1000),
    )
    link = answer.link
    return {
        "url": None if link is None else link.url,
        "expires_at": None if link is None else link.expires_at,
        "busy": answer.busy,
        "quiet_s": answer.quiet_s,
    }
