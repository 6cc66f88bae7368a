"""The demo: a scenario at a simulated provider, the real stack, two webhook receivers and two SNS subscribers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

from examhook.events.words import words_for
from examhook.storage.events import EventsTable
from examhook_cli.demo.reconciliation import accepted, arrival_of
from examhook_cli.demo.reconciliation import Fact, expected_facts
from examhook_cli.demo.demo_stack import DemoStack, running_demo_stack
from examhook_cli.demo.narrator import Narrator
from examhook_cli.demo.reconciliation import Reconciliation, reconcile
from examhook_cli.demo.scenario import STEP_WITH_A_BROKEN_RECEIVER, STEPS, Stage, Step, furnish
from examhook_cli.demo.subscriber import QueueSubscriber, subscribe_queue
from examhook_cli.listener.server import Listener, Received, running_listener
from examhook_simulator.clock import VirtualClock
from examhook_simulator.facts import LedgerEntry
from examhook_simulator.server import running_simulator
from examhook_simulator.world import World

SEED = 7
CODE = "demo-code"
FILTERED_TYPES = ("submission.forced", "submission.timed_out")
_NOT_BY_WEBHOOK = "submission.started"
_ARRIVAL_TIMEOUT_S = 60.0
_SETTLE_S = 3.0


@dataclass(slots=True)
class Play:
    """One run of the demo, with everything that took part in it."""

    narrator: Narrator
    stage: Stage
    installation: DemoStack
    first: Listener
    second: Listener
    everything: QueueSubscriber
    filtered: QueueSubscriber
    intervals: list[Sequence[LedgerEntry]] = field(default_factory=list)
    noted: int = 0

    def first_contact(self) -> None:
        """The poll that records the past in silence."""
        self.narrator.heading("First contact: three exams with 120 attempts each, all of them old news")
        report = self.installation.poll()
        self.noted = len(self.stage.world.ledger())
        self.narrator.say(_told(report))

    def step(self, step: Step) -> None:
        """Let something happen, poll, and wait until the receivers have what follows from it."""
        self.narrator.heading(step.words)
        step.act(self.stage)
        entries = self.stage.world.ledger(self.noted)
        self.noted += len(entries)
        self.intervals.append(entries)
        self.narrator.say(_told(self.installation.poll(full=step.full_pass)))
        self._await(self.second)

    def step_with_a_broken_receiver(self, step: Step) -> None:
        """The same, while the first receiver answers 500; the second must not notice."""
        self._await(self.first)
        self.first.answer_with(HTTPStatus.INTERNAL_SERVER_ERROR)
        self.step(step)
        self.narrator.say("The second receiver has them all. The first recovers …")
        self.first.answer_with(HTTPStatus.NO_CONTENT)
        self._await(self.first)

    def a_last_poll(self) -> None:
        """Nothing happens, so nothing may come."""
        self.narrator.heading("Nothing happens, and a full scan finds nothing")
        self.narrator.say(_told(self.installation.poll(full=True)))

    def show_email(self) -> None:
        """The e-mail about the first submission, as SNS was given it."""
        self.narrator.heading("What the exam officer reads about the first of them")
        table = EventsTable(
            self.installation.session.client("dynamodb"), self.installation.stack.output("EventsTableName")
        )
        event = table.get(accepted(self.second.received)[0].event_id)
        if event is not None:
            words = words_for(event)
            self.narrator.email(words.subject, words.text)

    def reconcile(self) -> list[Reconciliation]:
        """Wait for whatever is still under way, then compare."""
        everything = expected_facts(self.intervals)
        by_webhook = self._expected_by_webhook()
        filtered = {fact: count for fact, count in everything.items() if fact.event_type in FILTERED_TYPES}
        self.everything.drain(everything.total(), _ARRIVAL_TIMEOUT_S)
        self.filtered.drain(sum(filtered.values()), _ARRIVAL_TIMEOUT_S)
        # Whatever was sent too much must have the time to come.
        time.sleep(_SETTLE_S)
        self.filtered.drain(0, 0)
        self.everything.drain(0, 0)
        return [
            reconcile("webhook 1 (broke down for a while)", by_webhook, accepted(self.first.received)),
            reconcile("webhook 2", by_webhook, accepted(self.second.received)),
            reconcile("SNS → SQS, everything", everything, [arrival_of(body) for body in self.everything.bodies]),
            reconcile("SNS → SQS, forced and timed out", filtered, [arrival_of(body) for body in self.filtered.bodies]),
        ]

    def _expected_by_webhook(self) -> dict[Fact, int]:
        facts = expected_facts(self.intervals)
        return {fact: count for fact, count in facts.items() if fact.event_type != _NOT_BY_WEBHOOK}

    def _await(self, listener: Listener) -> None:
        count = sum(self._expected_by_webhook().values())
        listener.wait_until(
            lambda received: len({arrival.event_id for arrival in accepted(received)}) >= count, _ARRIVAL_TIMEOUT_S
        )


def play(narrator: Narrator) -> bool:
    """Play the whole scenario; whether everything came that should have, and nothing else."""
    with ExitStack() as stack:
        world = World(SEED, VirtualClock(start_at=time.time(), speed=1.0))
        stage = furnish(world)
        simulator = stack.enter_context(running_simulator(world, code=CODE))
        first = stack.enter_context(running_listener([], on_received=_announcer(narrator, "first")))
        second = stack.enter_context(running_listener([], on_received=_announcer(narrator, "second")))
        narrator.heading("Deploying the template into the local emulator, with each function's own rights enforced")
        began_at = time.monotonic()
        installation = stack.enter_context(running_demo_stack(simulator.base_url, CODE, [first.url, second.url]))
        for listener in (first, second):
            listener.trust([installation.secrets_by_url[listener.url]])
        topic_arn = installation.stack.output("SubmissionsTopicArn")
        everything = subscribe_queue(installation.session, topic_arn, "everything")
        filtered = subscribe_queue(installation.session, topic_arn, "filtered", {"type": FILTERED_TYPES})
        narrator.say(f"Up after {time.monotonic() - began_at:.0f} s, with two webhooks and two queues on the topic.")
        performance = Play(narrator, stage, installation, first, second, everything, filtered)
        performance.first_contact()
        for step in STEPS:
            performance.step(step)
        performance.step_with_a_broken_receiver(STEP_WITH_A_BROKEN_RECEIVER)
        performance.a_last_poll()
        performance.show_email()
        results = performance.reconcile()
        narrator.result(results)
        return all(result.agrees for result in results)


def _announcer(narrator: Narrator, name: str) -> Callable[[Received], None]:
    return lambda received: narrator.arrived(name, received)


def _told(report: object) -> str:
    if not isinstance(report, dict):
        return ""
    counts = ", ".join(f"{name} {report[name]}" for name in ("requests", "exams", "rows", "changes"))
    return f"The poll: {counts}"
