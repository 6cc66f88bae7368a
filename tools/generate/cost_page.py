"""docs/cost.md: prices, quotas, and the costs of four installations from measured units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from examhook.detection.intervals import MINUTE_S, ROTATION_S, ticks_of_minute

if TYPE_CHECKING:
    from tools.generate.meter import Measured, Units

TEMPLATE = Path(__file__).with_name("cost.md.in")
MINUTES = 43_800
"""Minutes per month."""
PAGE_ROWS = 100
"""Rows per request to the provider."""

# US dollars, us-east-1, list prices without free tiers.
GB_SECOND = 0.0000133334
INVOCATION = 0.20e-6
WRITE_UNIT = 0.625e-6
READ_UNIT = 0.125e-6
GB_STORED_AND_RECOVERABLE = 0.25 + 0.20
PUBLISH = 0.50e-6
QUEUE_REQUEST = 0.40e-6
SCHEDULED = 1.00e-6
LOG_GB = 0.50
KEY = 1.00
KEY_ROTATION = 1.00
"""Added per month after the first rotation and after the second; later rotations add nothing (since April 2024)."""
SECRET = 0.40
_STACK = Path(__file__).parents[2] / "template.yaml"
ALARMS = _STACK.read_text().count("Type: AWS::CloudWatch::Alarm") * 0.10
METRICS = 4 * 0.30

POLL_GB, DISPATCH_GB, DELIVER_GB, RETRY_GB = 0.5, 0.5, 0.5, 0.25
REQUESTS_PER_SECOND = 5
"""Default of the template."""
QUEUE_POLLS = 5 * 3 * MINUTES
"""Requests per queue that Lambda polls: five pollers (sometimes two) that wait 20 seconds."""
MESSAGES_IN_REQUEST = 10
"""Maximum messages per request."""
INTERVALS_S = (60, 30, 20, 15, 10, 5)
LINE_BYTES = 700
ITEM_BYTES = 1_500
"""A submission with its transitions. An event and a delivery together have about twice the size, for 30 days."""
SECRET_BYTES, ACCOUNT_BYTES = 65_536, 110
"""Size limit of a secret, and bytes per further account."""
KEY_UNITS = 1_000
"""DynamoDB's limit of write units per second and partition key."""
FULL_SCANS_A_DAY = 4
"""Mean per exam: hourly while it is active, daily while it is not."""
ACCOUNTS_IN_A_STACK = SECRET_BYTES // ACCOUNT_BYTES


@dataclass(frozen=True)
class Installation:
    """An installation whose costs are computed."""

    name: str
    exams: int
    """In all accounts."""
    submissions: int
    """Per month in all accounts."""
    rows: int
    """Attempts per exam."""
    accounts: int = 1
    webhooks: int = 1
    poll_seconds: int = 15
    """Default of the template."""

    @property
    def further_ticks(self) -> int:
        """Polls per minute and account that messages start."""
        return len(ticks_of_minute(0, self.poll_seconds)) - 1

    @property
    def stacks(self) -> int:
        """Stacks that the accounts need, because a secret lists a limited number of them."""
        return math.ceil(self.accounts / ACCOUNTS_IN_A_STACK)

    @property
    def secrets(self) -> int:
        """One per stack for its account, and one for its further accounts."""
        return self.stacks if self.accounts == 1 else 2 * self.stacks


INSTALLATIONS = (
    Installation("small school", exams=5, submissions=200, rows=200),
    Installation("certification body", exams=200, submissions=50_000, rows=1_000),
    Installation("largest customer", exams=1_000, submissions=1_000_000, rows=1_000),
    Installation("1,000 accounts", exams=20_000, submissions=1_000_000, rows=200, accounts=1_000, poll_seconds=60),
)


@dataclass(frozen=True)
class Month:
    """Usage and costs of an installation per month."""

    requests: float
    """Requests to the provider in a poll without changes, per account."""
    full_s: float
    """Duration of a full read of one account."""
    parts: tuple[tuple[str, float], ...]
    """US dollars by purpose."""

    @property
    def dollars(self) -> float:
        """Total."""
        return sum(cost for _, cost in self.parts)


def month(installation: Installation, units: Measured) -> Month:
    """Compute the costs of an installation."""
    accounts, further = installation.accounts, installation.further_ticks
    polls = MINUTES * accounts * (1 + further)
    ticks = MINUTES * installation.stacks
    exams = installation.exams / accounts
    list_requests = math.ceil((exams + 1) / PAGE_ROWS)
    full_requests = exams * math.ceil((installation.rows + 1) / PAGE_ROWS)
    # Each attempt starts and ends; webhooks get the end only.
    events, deliveries = 2 * installation.submissions, installation.submissions * installation.webhooks
    poll_s = 0.5 + list_requests / REQUESTS_PER_SECOND
    full_scans_s = 30.4 * FULL_SCANS_A_DAY * full_requests / REQUESTS_PER_SECOND * accounts
    poll_writes = polls * units.quiet_poll.write_units + installation.submissions * units.submission.write_units
    exam_reads = polls * max(0.0, exams - 1) * units.exam_in_quiet_poll.read_units
    full_scan_units = 30.4 * FULL_SCANS_A_DAY * installation.exams
    # Assumes that all exams are available.
    rotations = MINUTES * MINUTE_S / ROTATION_S * installation.exams
    writes = (
        poll_writes
        + full_scan_units
        + rotations * units.rotation.write_units
        + events * units.event.write_units
        + deliveries * units.delivery.write_units
        + ticks * units.retry_tick.write_units
    )
    reads = (
        polls * units.quiet_poll.read_units
        + exam_reads
        + rotations * units.rotation.read_units
        + installation.submissions * units.submission.read_units
        + events * units.event.read_units
        + deliveries * units.delivery.read_units
        + ticks * units.retry_tick.read_units
    )
    gb_s = (
        (polls * poll_s + rotations / REQUESTS_PER_SECOND + installation.submissions * 0.2 + full_scans_s) * POLL_GB
        + events * 0.05 * DISPATCH_GB
        + deliveries * 0.3 * DELIVER_GB
        + ticks * 0.2 * RETRY_GB
    )
    invocations = polls + ticks + events / 5 + deliveries / 5
    lines = polls + ticks + events / 5 + deliveries
    # Nothing is deleted; over the first two years, one year of submissions is stored on average.
    stored_gb = (12 * installation.submissions + installation.exams * installation.rows + events) * ITEM_BYTES / 1e9
    return Month(
        requests=list_requests,
        full_s=full_requests / REQUESTS_PER_SECOND,
        parts=(
            ("key, secret", installation.stacks * KEY + installation.secrets * SECRET),
            ("alarms and metrics", installation.stacks * (ALARMS + METRICS)),
            ("Lambda", gb_s * GB_SECOND + invocations * INVOCATION),
            ("DynamoDB", writes * WRITE_UNIT + reads * READ_UNIT + stored_gb * GB_STORED_AND_RECOVERABLE),
            ("SNS", events * units.event.sns * 10 * PUBLISH),
            ("SQS", (_tick_requests(installation) + events * units.event.sqs + 3 * deliveries) * QUEUE_REQUEST),
            ("schedules, logs", 2 * ticks * SCHEDULED + lines * LINE_BYTES / 1e9 * LOG_GB),
        ),
    )


def _tick_requests(installation: Installation) -> float:
    """Return the SQS requests per month without events: polls of the queues, and messages that start polls."""
    further = installation.further_ticks
    queues = 3 if further else 2
    sent = math.ceil(further / MESSAGES_IN_REQUEST)
    # Each message is received and deleted.
    return installation.stacks * (queues * QUEUE_POLLS + MINUTES * (sent + 2 * further))


def interval_costs(units: Measured) -> dict[int, tuple[float, float]]:
    """Return US dollars per month beyond one poll per minute, by interval, for the first and each further account."""
    small, *_ = INSTALLATIONS

    def dollars(accounts: int, poll_seconds: int) -> float:
        more = month(replace(small, accounts=accounts, poll_seconds=poll_seconds), units).dollars
        return more - month(replace(small, accounts=accounts, poll_seconds=MINUTE_S), units).dollars

    return {each: (dollars(1, each), dollars(2, each) - dollars(1, each)) for each in INTERVALS_S}


def page(units: Measured) -> str:
    """Return the page."""
    months = [month(installation, units) for installation in INSTALLATIONS]
    names = [name for name, _ in months[0].parts]
    costs = [f"| {name} | {' | '.join(f'{dict(each.parts)[name]:,.2f}' for each in months)} |" for name in names]
    costs += [f"| **total** | {' | '.join(f'**{each.dollars:,.2f}**' for each in months)} |"]
    uses = [
        ("a poll without changes", units.quiet_poll),
        ("each further exam in such a poll", units.exam_in_quiet_poll),
        ("an exam whose new rows are read in the rotation", units.rotation),
        ("an attempt that starts and ends (Poll)", units.submission),
        ("an event (Dispatch)", units.event),
        ("a webhook (Deliver)", units.delivery),
        ("a tick of Retry", units.retry_tick),
    ]
    measured = [f"| {name} | {_used(each)} |" for name, each in uses]
    heads = " | ".join(f"{each.name}" for each in INSTALLATIONS)
    sizes = [
        f"| {label} | {' | '.join(values)} |"
        for label, values in (
            ("accounts", [f"{each.accounts:,}" for each in INSTALLATIONS]),
            ("stacks", [f"{each.stacks}" for each in INSTALLATIONS]),
            ("exams", [f"{each.exams:,}" for each in INSTALLATIONS]),
            ("submissions a month", [f"{each.submissions:,}" for each in INSTALLATIONS]),
            ("seconds between polls", [f"{each.poll_seconds}" for each in INSTALLATIONS]),
            ("requests to the provider in a poll without changes", [f"{each.requests:.0f}" for each in months]),
            ("full read of one account, minutes", [f"{each.full_s / 60:.1f}" for each in months]),
        )
    ]
    intervals = [
        f"| {seconds} | {MINUTE_S // seconds} | {first:.2f} | {further:.2f} |"
        for seconds, (first, further) in interval_costs(units).items()
    ]
    return TEMPLATE.read_text().format(
        intervals="\n".join(intervals),
        heads=heads,
        columns="|---" * (len(INSTALLATIONS) + 1) + "|",
        sizes="\n".join(sizes),
        costs="\n".join(costs),
        measured="\n".join(measured),
        key=f"{KEY:.2f}",
        rotation=f"{KEY_ROTATION:.2f}",
        rotated_key=f"{KEY + 2 * KEY_ROTATION:.2f}",
        key_units=f"{KEY_UNITS:,}",
        day_index_units=f"{round(units.day_index_units, 1):g}",
        day_index_events=f"{KEY_UNITS / units.day_index_units:,.0f}",
        accounts_in_a_stack=f"{round(ACCOUNTS_IN_A_STACK, -2):,}",
        account_bytes=ACCOUNT_BYTES,
    )


def _used(units: Units) -> str:
    return f"{units.calls:.2f} | {units.write_units:.2f} | {units.read_units:.2f}"
