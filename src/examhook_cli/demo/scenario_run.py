"""Runs the scenario with a simulated provider, a local stack, two webhook receivers and two SNS subscribers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

from examhook.events.message import email_for
from examhook.storage.events import EventsTable
from examhook_cli.demo.demo_stack import DemoStack, running_demo_stack
from examhook_cli.demo.narrator import Narrator
from examhook_cli.demo.reconciliation import (
    Fact,
    Reconciliation,
    accepted,
    arrival_of,
    expected_facts,
    reconcile,
)
from examhook_cli.demo.scenario import STEP_WITH_A_BROKEN_RECEIVER, STEPS, DemoWorld, Step, create_world
from examhook_cli.demo.subscriber import QueueSubscriber, subscribe_queue
from examhook_cli.listener.server import Listener, Received, running_listener
from examhook_simulator.clock import VirtualClock
from examhook_simulator.facts import LedgerEntry
from examhook_simulator.server import running_simulator
from examhook_simulator.world import World

_SEED = 7
_CODE = "demo-code"
_FILTERED_TYPES = ("submission.forced", "submission.timed_out")
_NOT_BY_WEBHOOK = "submission.started"
_ARRIVAL_TIMEOUT_S = 60.0
_SETTLE_S = 3.0


@dataclass(slots=True)
class ScenarioRun:
    """One run of the scenario."""

    narrator: Narrator
    demo_world: DemoWorld
    demo_stack: DemoStack
    first: Listener
    second: Listener
    all_events: QueueSubscriber
    filtered_events: QueueSubscriber
    intervals: list[Sequence[LedgerEntry]] = field(default_factory=list)
    """Ledger entries between two polls, for each poll after the first."""
    ledger_position: int = 0

    def first_poll(self) -> None:
        """Poll once; past results are stored and not announced."""
        self.narrator.heading("First poll: three exams with 120 past attempts each, which are not announced")
        report = self.demo_stack.poll()
        self.ledger_position = len(self.demo_world.world.ledger())
        self.narrator.say(_report_text(report))

    def step(self, step: Step) -> None:
        """Change the world, poll, and wait until the second receiver has all events."""
        self.narrator.heading(step.title)
        step.act(self.demo_world)
        entries = self.demo_world.world.ledger(self.ledger_position)
        self.ledger_position += len(entries)
        self.intervals.append(entries)
        self.narrator.say(_report_text(self.demo_stack.poll(full=step.full_scan)))
        self._wait_for(self.second)

    def step_with_a_broken_receiver(self, step: Step) -> None:
        """Run a step while the first receiver responds with 500; the second must not be affected."""
        self._wait_for(self.first)
        self.first.answer_with(HTTPStatus.INTERNAL_SERVER_ERROR)
        self.step(step)
        self.narrator.say("The second receiver has all events. The first receiver recovers …")
        self.first.answer_with(HTTPStatus.NO_CONTENT)
        self._wait_for(self.first)

    def last_poll(self) -> None:
        """Poll once without a change; nothing may be announced."""
        self.narrator.heading("Nothing happens, and a full scan finds nothing")
        self.narrator.say(_report_text(self.demo_stack.poll(full=True)))

    def show_email(self) -> None:
        """Print the e-mail about the first event, as sent to SNS."""
        self.narrator.heading("E-mail to the exam officer about the first event")
        table = EventsTable(self.demo_stack.session.client("dynamodb"), self.demo_stack.stack.output("EventsTableName"))
        event = table.get(accepted(self.second.received)[0].event_id)
        if event is not None:
            email = email_for(event)
            self.narrator.email(email.subject, email.text)

    def reconcile(self) -> list[Reconciliation]:
        """Wait for all events, then compare."""
        expected = expected_facts(self.intervals)
        by_webhook = self._expected_by_webhook()
        filtered = {fact: count for fact, count in expected.items() if fact.event_type in _FILTERED_TYPES}
        self.all_events.drain(expected.total(), _ARRIVAL_TIMEOUT_S)
        self.filtered_events.drain(sum(filtered.values()), _ARRIVAL_TIMEOUT_S)
        # Leave time for unexpected events to arrive.
        time.sleep(_SETTLE_S)
        self.filtered_events.drain(0, 0)
        self.all_events.drain(0, 0)
        return [
            reconcile("webhook 1 (was down for a while)", by_webhook, accepted(self.first.received)),
            reconcile("webhook 2", by_webhook, accepted(self.second.received)),
            reconcile("SNS → SQS, all events", expected, list(map(arrival_of, self.all_events.bodies))),
            reconcile("SNS → SQS, forced and timed out", filtered, list(map(arrival_of, self.filtered_events.bodies))),
        ]

    def _expected_by_webhook(self) -> dict[Fact, int]:
        facts = expected_facts(self.intervals)
        return {fact: count for fact, count in facts.items() if fact.event_type != _NOT_BY_WEBHOOK}

    def _wait_for(self, listener: Listener) -> None:
        count = sum(self._expected_by_webhook().values())
        listener.wait_until(
            lambda received: len({arrival.event_id for arrival in accepted(received)}) >= count, _ARRIVAL_TIMEOUT_S
        )


def run_scenario(narrator: Narrator) -> bool:
    """Run the scenario; True if exactly the expected events arrived. Raises CommandFailedError."""
    with ExitStack() as stack:
        world = World(_SEED, VirtualClock(start_at=time.time(), speed=1.0))
        demo_world = create_world(world)
        simulator = stack.enter_context(running_simulator(world, code=_CODE))
        first = stack.enter_context(running_listener([], on_received=_printer(narrator, "first")))
        second = stack.enter_context(running_listener([], on_received=_printer(narrator, "second")))
        narrator.heading("Deploying the template into the local emulator, with the IAM permissions of each function")
        started_at = time.monotonic()
        demo_stack = stack.enter_context(running_demo_stack(simulator.base_url, _CODE, [first.url, second.url]))
        for listener in (first, second):
            listener.trust([demo_stack.secrets_by_url[listener.url]])
        topic_arn = demo_stack.stack.output("SubmissionsTopicArn")
        all_events = subscribe_queue(demo_stack.session, topic_arn, "everything")
        filtered_events = subscribe_queue(demo_stack.session, topic_arn, "filtered", {"type": _FILTERED_TYPES})
        narrator.say(f"Up after {time.monotonic() - started_at:.0f} s, with two webhooks and two queues on the topic.")
        run = ScenarioRun(narrator, demo_world, demo_stack, first, second, all_events, filtered_events)
        run.first_poll()
        for step in STEPS:
            run.step(step)
        run.step_with_a_broken_receiver(STEP_WITH_A_BROKEN_RECEIVER)
        run.last_poll()
        run.show_email()
        results = run.reconcile()
        narrator.result(results)
        return all(result.agrees for result in results)


def _printer(narrator: Narrator, name: str) -> Callable[[Received], None]:
    return lambda received: narrator.arrived(name, received)


def _report_text(report: Mapping[str, object]) -> str:
    counts = ", ".join(f"{name} {report[name]}" for name in ("requests", "exams", "rows", "changes"))
    return f"Poll: {counts}"
