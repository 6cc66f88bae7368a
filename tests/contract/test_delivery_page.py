"""docs/delivery.md states every rule and number of delivery as the code and the template define it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from inspect import signature
from pathlib import Path
from random import Random
from typing import Any

import pytest

from examhook.delivery import custom_headers, health_policy, link_renewal, rate_limit, record, schedule, url
from examhook.delivery import signature as signing
from examhook.delivery.decision import decide, is_success, retry_after_s
from examhook.delivery.endpoint import DOWN_AFTER_FAILURES
from examhook.delivery.record import SendOutcome, SendResult
from examhook.destinations import redrive_queue, webhook
from examhook.http.client import HttpClient
from examhook.http.connections import CONNECTIONS_KEPT, IDLE_S
from examhook.workflows.administration import endpoint_changes, replay
from examhook.workflows.delivering import batch_runner, deliver
from examhook.workflows.polling import result_links
from examhook.workflows.retrying import backlog, retry
from tests.support.template.source_template import RESOURCES, TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
NOW = 1_777_818_720


def properties(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = RESOURCES[name]["Properties"]
    return found


def default(parameter: str) -> str:
    return str(TEMPLATE["Parameters"][parameter]["Default"])


def event_of(function: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = properties(function)["Events"][name]["Properties"]
    return found


def span(seconds: float) -> str:
    """A time in words: 5 s, 15 min, 24 h, 5 days."""
    for size, unit in ((86_400 * 2, "days"), (3600, "h"), (60, "min")):
        step = 86_400 if unit == "days" else size
        if seconds >= size and seconds % step == 0 and not (unit == "min" and seconds <= 120):
            return f"{seconds / step:g} {unit}"
    return f"{seconds:g} s"


def size(count: int) -> str:
    return f"{count // 1024} KiB"


DEADLINE = properties("DeliverFunction")["Environment"]["Variables"]["ATTEMPT_DEADLINE_SECONDS"]
QUEUE, STREAM = properties("DeliveryQueue"), event_of("DispatchFunction", "StoredChanges")
RULES: Mapping[str, str] = {
    "attempts of one event": f"{schedule.MAX_ATTEMPTS}",
    "delay before each attempt": ", ".join(["none", *(span(each) for each in schedule.DELAYS_S[1:])]),
    "jitter of each delay": f"±{schedule.JITTER:.0%}".replace("%", " %"),
    "from the first to the last attempt": f"about {sum(schedule.DELAYS_S) / 3600:.0f} h",
    "deadline of an attempt": span(float(DEADLINE)),
    "connecting to one address": span(signature(HttpClient.send).parameters["connect_timeout_s"].default),
    "bytes read of an answer, decompressed": size(webhook.MAX_RESPONSE_BYTES),
    "bytes stored of an answer": size(record.EXCERPT_BYTES),
    "attempts kept in the log of a delivery": f"{record.KEPT_ATTEMPTS}",
    "idle connections, and how long they may idle": f"{CONNECTIONS_KEPT}, {span(IDLE_S)}",
    "maximum `Retry-After`": span(schedule.MAX_RETRY_AFTER_S),
    "a next attempt due within this time is a delayed message": span(deliver.DIRECT_RETRY_S),
    "an attempt whose process died is repeated after": span(schedule.CLAIM_TIMEOUT_S),
    "a delivery whose message was lost is queued again after": span(schedule.REQUEUE_AFTER_S),
    "an endpoint is down after": f"{DOWN_AFTER_FAILURES} failures in a row",
    "probes of an endpoint that is down": f"one in {span(schedule.PROBE_INTERVAL_S)}, at a tick each minute",
    "deliveries that a recovery queues at once": f"{backlog.BATCH_PER_ENDPOINT} of the endpoint",
    f"Retry queues per endpoint and tick, in batches of {backlog.BATCH_PER_ENDPOINT}": (
        f"{backlog.UNPACED_PER_MINUTE:,} of an endpoint, or what its rate allows in a minute"
    ),
    "rate of an endpoint": (
        f"none, or {rate_limit.MIN_PER_SECOND:g} to {rate_limit.MAX_PER_SECOND:g} attempts per second"
    ),
    "an attempt waits for its rate slot at most": span(rate_limit.MAX_POSTPONE_S),
    "an attempt that starts this late takes another slot": span(rate_limit.SLOT_GRACE_S),
    "statuses that slow an endpoint down": ", ".join(sorted(str(int(each)) for each in rate_limit.OVERLOAD_STATUSES)),
    "duration of a slowdown": span(rate_limit.SLOWDOWN_S),
    "rate during a slowdown": (
        f"{rate_limit.SLOWDOWN_PER_SECOND:g} attempt a second, after {rate_limit.SLOWDOWN_BURST} at once"
    ),
    "parallel attempts at one endpoint in a process": f"{rate_limit.ENDPOINT_CONCURRENCY}",
    "parallel attempts in a process": (
        f"{batch_runner.BATCH_SIZE}, and with slow ones {batch_runner.MAX_ATTEMPTS_AT_ONCE}"
    ),
    "processes of Deliver": str(event_of("DeliverFunction", "Queued")["ScalingConfig"]["MaximumConcurrency"]),
    "a link is renewed if it expires within": span(link_renewal.RENEW_BEFORE_S),
    "a delivery that waits for a link checks again after": "{} to {} s".format(*deliver.LINK_CHECK_S),
    "a delivery waits for a link at most": span(link_renewal.WAIT_S),
    "another link for the same event is requested after": span(link_renewal.REPEAT_AFTER_S),
    "requests to the provider for links, per poll": f"{result_links.MAX_REQUESTS}, within {span(result_links.SERVE_S)}",
    "an attempt is long-running, so another may start, after": span(batch_runner.IDLE_AFTER_S),
    "an attempt is slow after": span(batch_runner.SLOW_AFTER_S),
    "a process with slow attempts receives further messages for": span(batch_runner.RECEIVE_FOR_S),
    "a message returns to the queue, if all attempts at its endpoint are slow, for": span(batch_runner.RETURN_DELAY_S),
    "operators are warned after": span(health_policy.WARN_AFTER_S) + " of failures only",
    "and warned again every": span(health_policy.WARN_AGAIN_S),
    "waiting deliveries are counted up to": f"{health_policy.MAX_COUNTED:,}",
    "Retry starts with no further endpoint after": span(retry.TICK_S),
    "an endpoint is disabled after": f"{default('DisableAfterDays')} days of failures only (`DisableAfterDays`)",
    "events and deliveries are kept for": f"{default('RetentionDays')} days (`RetentionDays`)",
    "events in one replay": "any number",
    "events that a replay queues at once for one endpoint": f"{replay.AT_ONCE_PER_ENDPOINT}",
    "Dispatch gives up a failing batch after": f"{STREAM['MaximumRetryAttempts']} tries",
    "an automatic redrive looks back": span(redrive_queue.LOOK_BACK_S),
    "overlap of two secrets": f"{span(endpoint_changes.OVERLAP_S)}, or 0 to {span(endpoint_changes.MAX_OVERLAP_S)}",
    "bytes of a secret": (
        f"{signing.FRESH_SECRET_BYTES}; {signing.MIN_SECRET_BYTES} to {signing.MAX_SECRET_BYTES} are accepted"
    ),
    "custom headers of an endpoint": f"{custom_headers.MAX_HEADERS}, {size(custom_headers.MAX_HEADERS_BYTES)} together",
    "characters of a URL": f"{url.MAX_URL_CHARACTERS}",
    "a message in work is hidden for": span(float(str(QUEUE["VisibilityTimeout"]))),
    "a failing message moves to the dead-letter queue after": f"{QUEUE['RedrivePolicy']['maxReceiveCount']} tries",
}


def table(title: str) -> dict[str, str]:
    """First and second cell of each row of the tables under a heading."""
    part = PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    body = re.sub(r"^\|.*\n\|---.*\n", "", part, flags=re.MULTILINE)
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in body.splitlines() if line.startswith("|")]
    found = {row[0]: row[1] for row in rows}
    assert len(found) == len(rows), "no rule is stated twice"
    return found


def test_the_page_states_exactly_the_rules_of_the_code() -> None:
    assert table("Rules and numbers") == dict(RULES)


def of(status: int) -> str:
    """What an answer of this status leads to, by the rules."""
    result = SendResult(SendOutcome.ANSWERED, status, 1)
    decision = type(decide(result, 1, NOW, Random(1))).__name__
    slower = rate_limit.is_overloaded(status)
    words = {"Delivered": "delivered", "Retry": "retried", "DisableEndpoint": "endpoint disabled"}[decision]
    return f"{words}, and the endpoint is slowed down" if slower else words


def test_every_status_leads_where_the_page_says() -> None:
    told = table("What an answer leads to")
    told_statuses: dict[int, str] = {}
    for name, outcome in told.items():
        for first, last in re.findall(r"(\d{3})(?: to (\d{3}))?", name):
            told_statuses |= dict.fromkeys(range(int(first), int(last or first) + 1), outcome)
    others = told["any other status"]
    wrong = [status for status in range(100, 600) if not told_statuses.get(status, others).startswith(of(status))]
    assert wrong == []
    assert is_success(SendResult(SendOutcome.ANSWERED, HTTPStatus.NO_CONTENT, 1))


def test_every_end_without_an_answer_is_told() -> None:
    told = table("What an answer leads to")
    without = {name.strip("`") for name in told if name.startswith("`")}
    assert without == {each.value for each in SendOutcome} - {SendOutcome.ANSWERED.value}
    for outcome in SendOutcome:
        if outcome is not SendOutcome.ANSWERED:
            decision = decide(SendResult(outcome, None, 1), 1, NOW, Random(1))
            assert type(decision).__name__ == "Retry"
            assert told[f"`{outcome.value}`"].startswith("retried")


@pytest.mark.parametrize("header", ["soon", "-1", "Mon, 01 Jan 2024 00:00:00 GMT"])
def test_a_retry_after_that_is_no_time_to_come_counts_as_none(header: str) -> None:
    assert "in the past, or anything else" in PAGE
    assert retry_after_s(header, NOW) is None


def test_how_fast_a_backlog_goes_is_told_by_the_numbers_of_the_code() -> None:
    told = " ".join(PAGE.split("## How fast a backlog goes\n", 1)[1].split("\n## ", 1)[0].split())
    a_minute, six_hours = backlog.UNPACED_PER_MINUTE, 6 * 3600 * 20
    assert f"up to {a_minute:,} deliveries a minute" in told
    assert f"{a_minute // 60} a second" in told
    assert f"{six_hours:,} deliveries, is delivered after {six_hours / a_minute / 60:g} hours" in told
    at_once = (
        event_of("DeliverFunction", "Queued")["ScalingConfig"]["MaximumConcurrency"] * rate_limit.ENDPOINT_CONCURRENCY
    )
    assert f"{at_once} attempts at once" in told
    assert f"A tick does this for {retry.TICK_S:g} seconds" in told
    assert f"{properties('RetryFunction')['MemorySize']} MB of Lambda" in told


def test_the_readme_leads_there() -> None:
    assert "](docs/delivery.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
