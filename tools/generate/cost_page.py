"""docs/cost.md: prices and quotas, four installations, and what they use by the units that were measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from examhook.detection.intervals import MINUTE_S, ROTATION_S, ticks_of_minute

if TYPE_CHECKING:
    from tools.generate.cost_units import Measured, Units

TEMPLATE = Path(__file__).with_name("cost.md.in")
MINUTES = 43_800
"""Of a month."""
PAGE_ROWS = 100
"""Rows that one request to the provider brings."""

# US dollars, us-east-1, at list price and without free tiers.
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
"""More a month after the first rotation and again after the second; later ones add nothing (since April 2024)."""
SECRET = 0.40
_STACK = Path(__file__).parents[2] / "template.yaml"
ALARMS = _STACK.read_text().count("Type: AWS::CloudWatch::Alarm") * 0.10
METRICS = 4 * 0.30

POLL_GB, DISPATCH_GB, DELIVER_GB, RETRY_GB = 0.5, 0.5, 0.5, 0.25
REQUESTS_PER_SECOND = 5
"""To the provider, as the parameter has it."""
QUEUE_POLLS = 5 * 3 * MINUTES
"""Requests for one queue that Lambda reads: five pollers that wait 20 seconds (sometimes only two)."""
MESSAGES_IN_REQUEST = 10
"""Messages that one request sends at most."""
INTERVALS_S = (60, 30, 20, 15, 10, 5)
LINE_BYTES = 700
ITEM_BYTES = 1_500
"""Of a submission with its transitions; an event and a delivery together are about twice that, for 30 days."""
SECRET_BYTES, ACCOUNT_BYTES = 65_536, 110
"""What a secret holds, and what one further account takes of it."""
KEY_UNITS = 1_000
"""Write units a second that DynamoDB takes for one partition key."""
FULL_PASSES_A_DAY = 4
"""Of an exam, on average: every hour while it is lively, daily when it is cold."""
ACCOUNTS_IN_A_STACK = SECRET_BYTES // ACCOUNT_BYTES


@dataclass(frozen=True)
class Installation:
    """One that is worked out."""

    name: str
    exams: int
    """Of all accounts together."""
    submissions: int
    """A month, of all accounts together."""
    rows: int
    """Attempts in each exam's list."""
    accounts: int = 1
    webhooks: int = 1
    poll_seconds: int = 15
    """As the parameter has it by default."""

    @property
    def further_ticks(self) -> int:
        """Polls of an account in a minute that messages start."""
        return len(ticks_of_minute(0, self.poll_seconds)) - 1

    @property
    def stacks(self) -> int:
        """As many as the secrets that list the accounts."""
        return math.ceil(self.accounts / ACCOUNTS_IN_A_STACK)

    @property
    def secrets(self) -> int:
        """One for each stack's own account, and one for its further ones."""
        return self.stacks if self.accounts == 1 else 2 * self.stacks


INSTALLATIONS = (
    Installation("small school", exams=5, submissions=200, rows=200),
    Installation("certification body", exams=200, submissions=50_000, rows=1_000),
    Installation("the largest", exams=1_000, submissions=1_000_000, rows=1_000),
    Installation("1,000 accounts", exams=20_000, submissions=1_000_000, rows=200, accounts=1_000, poll_seconds=60),
)


@dataclass(frozen=True)
class Month:
    """What one installation uses and costs in a month."""

    requests: float
    """To the provider, in a quiet minute of one account."""
    full_s: float
    """Seconds that it takes to read everything of one account once."""
    parts: tuple[tuple[str, float], ...]
    """US dollars by what they are for."""

    @property
    def dollars(self) -> float:
        """All of it."""
        return sum(cost for _, cost in self.parts)


def month(installation: Installation, units: Measured) -> Month:
    """Work one out."""
    accounts, further = installation.accounts, installation.further_ticks
    polls = MINUTES * accounts * (1 + further)
    ticks = MINUTES * installation.stacks
    exams = installation.exams / accounts
    list_requests = math.ceil((exams + 1) / PAGE_ROWS)
    full_requests = exams * math.ceil((installation.rows + 1) / PAGE_ROWS)
    # Each attempt begins and ends; webhooks hear of the end only.
    events, deliveries = 2 * installation.submissions, installation.submissions * installation.webhooks
    poll_s = 0.5 + list_requests / REQUESTS_PER_SECOND
    passes_s = 30.4 * FULL_PASSES_A_DAY * full_requests / REQUESTS_PER_SECOND * accounts
    poll_writes = polls * units.quiet_poll.write_units + installation.submissions * units.submission.write_units
    exam_reads = polls * max(0.0, exams - 1) * units.exam_in_quiet_poll.read_units
    pass_units = 30.4 * FULL_PASSES_A_DAY * installation.exams
    # As if all exams were available.
    rotations = MINUTES * MINUTE_S / ROTATION_S * installation.exams
    writes = (
        poll_writes
        + pass_units
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
        (polls * poll_s + rotations / REQUESTS_PER_SECOND + installation.submissions * 0.2 + passes_s) * POLL_GB
        + events * 0.05 * DISPATCH_GB
        + deliveries * 0.3 * DELIVER_GB
        + ticks * 0.2 * RETRY_GB
    )
    invocations = polls + ticks + events / 5 + deliveries / 5
    lines = polls + ticks + events / 5 + deliveries
    # Everything that was ever seen stays; a year's is stored on average over the first two.
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
            ("SQS", (_of_ticks(installation) + events * units.event.sqs + 3 * deliveries) * QUEUE_REQUEST),
            ("schedules, logs", 2 * ticks * SCHEDULED + lines * LINE_BYTES / 1e9 * LOG_GB),
        ),
    )


def _of_ticks(installation: Installation) -> float:
    """Requests of a month that do not depend on what happens: looks at queues, and messages that start polls."""
    further = installation.further_ticks
    queues = 3 if further else 2
    sent = math.ceil(further / MESSAGES_IN_REQUEST)
    # Each message is taken and deleted.
    return installation.stacks * (queues * QUEUE_POLLS + MINUTES * (sent + 2 * further))


def interval_costs(units: Measured) -> dict[int, tuple[float, float]]:
    """US dollars a month more than at a poll a minute, by interval: of the first account, and of each further one."""
    small, *_ = INSTALLATIONS

    def dollars(accounts: int, poll_seconds: int) -> float:
        more = month(replace(small, accounts=accounts, poll_seconds=poll_seconds), units).dollars
        return more - month(replace(small, accounts=accounts, poll_seconds=MINUTE_S), units).dollars

    return {each: (dollars(1, each), dollars(2, each) - dollars(1, each)) for each in INTERVALS_S}


def page(units: Measured) -> str:
    """The page."""
    months = [month(installation, units) for installation in INSTALLATIONS]
    names = [name for name, _ in months[0].parts]
    costs = [f"| {name} | {' | '.join(f'{dict(each.parts)[name]:,.2f}' for each in months)} |" for name in names]
    costs += [f"| **together** | {' | '.join(f'**{each.dollars:,.2f}**' for each in months)} |"]
    uses = [
        ("one quiet poll", units.quiet_poll),
        ("each further exam in it", units.exam_in_quiet_poll),
        ("an exam whose new rows are read in rotation", units.rotation),
        ("an attempt that begins and ends (Poll)", units.submission),
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
            ("requests to the provider in a quiet poll", [f"{each.requests:.0f}" for each in months]),
            ("reading one account whole, minutes", [f"{each.full_s / 60:.1f}" for each in months]),
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
