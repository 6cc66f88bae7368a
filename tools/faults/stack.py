"""The deployed local stack with a simulated provider, AWS faults and two receivers behind proxies."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from botocore.config import Config

from examhook.delivery.record import DeliveryStatus
from examhook.storage.submissions import exams_partition
from examhook.workflows.administration.replay import Replay
from examhook_cli.demo.demo_stack import CommandFailedError, DemoStack, run_command, running_demo_stack
from examhook_cli.demo.subscriber import QueueSubscriber, subscribe_queue
from examhook_cli.installation import Installation
from examhook_cli.listener.server import Listener, running_listener
from examhook_simulator.clock import VirtualClock
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import LedgerEntry
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World
from tools.faults.audit import Audit, audit
from tools.faults.aws_faults import AwsFaults, running_aws_faults
from tools.faults.receiver_proxy import Mode, ReceiverProxy, running_receiver_proxy

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

FUNCTIONS = ("Poll", "Dispatch", "Deliver", "Retry")
_LAMBDA_CONFIG = Config(read_timeout=330, retries={"total_max_attempts": 1})
_CODE = "code-of-the-faults"
_FIRST_CONTACT_S = 300
_RECOVERY_S = 1200
_UNCHANGED_EXAMS, _UNCHANGED_ATTEMPTS = 2, 40
_VISIBILITY_S = 60
"""Visibility timeout of the delivery queue: the minimum for a function with a timeout of one minute."""
_LEAST_ERROR_STATUS = 300
_SENT_AGAIN = (DeliveryStatus.WAITING, DeliveryStatus.PENDING, DeliveryStatus.FAILED)


class ListedWorld(World):
    """A world whose exam list omits the exams in ``unlisted``, so that polls stay short."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        super().__init__(seed, clock)
        self.unlisted: set[str] = set()
        """Exam ids."""

    def exams(self) -> list[ExamBook]:
        """Return the listed exams, oldest first."""
        return [exam for exam in super().exams() if str(exam.exam_id) not in self.unlisted]

    def number_from(self, number: int) -> None:
        """Give new exams and candidates ids above ``number``."""
        with self.locked():
            self._last_exam_id = max(self._last_exam_id, number)
            self._candidates.number_from(number)


@dataclass(slots=True)
class FaultStack:
    """Everything that the fault matrix and the soak test use."""

    world: ListedWorld
    simulator: Simulator
    installation: DemoStack
    aws_faults: AwsFaults
    listeners: Sequence[Listener]
    proxies: Sequence[ReceiverProxy]
    queue: QueueSubscriber
    unchanged_exam_ids: frozenset[str]
    """Exams with old results only, so no event about them is allowed."""
    contact_entries: int = 0
    """Ledger entries up to the first contact."""
    last_report: str = ""
    """Report of the last full poll."""

    @property
    def functions(self) -> LambdaClient:
        """Client that invokes functions without AWS faults."""
        return self.installation.session.client("lambda", config=_LAMBDA_CONFIG)

    def output(self, name: str) -> str:
        """Return an output of the CloudFormation stack."""
        return self.installation.stack.output(name)

    def function_name(self, function: str) -> str:
        """Return the deployed name of one of FUNCTIONS."""
        return self.output(f"{function}FunctionName")

    def invoke(self, function: str, payload: object, *, wait: bool = True) -> None:
        """Invoke a function; its failure is not an error."""
        self.functions.invoke(
            FunctionName=self.function_name(function),
            InvocationType="RequestResponse" if wait else "Event",
            Payload=json.dumps(payload).encode(),
        )

    def tick(self, *, wait: bool = True) -> None:
        """Poll as the schedule does."""
        self.invoke("Poll", {"trigger": "schedule"}, wait=wait)

    def retry(self) -> None:
        """Run Retry as the schedule does."""
        self.invoke("Retry", {"trigger": "schedule"})

    def full_poll(self) -> bool:
        """Run a full scan; return whether it was complete."""
        payload = b'{"trigger":"manual","full":true}'
        answer = self.functions.invoke(FunctionName=self.function_name("Poll"), Payload=payload)
        report = json.loads(answer["Payload"].read())
        self.last_report = json.dumps(report)
        return bool(report.get("complete"))

    def emulator_pid(self) -> int:
        """Return the id of the parent process of all functions."""
        state = Path(self.installation.environ["EXAMHOOK_LOCAL_DIR"])
        return int(json.loads((state / "emulator.json").read_text())["pid"])

    def configure(self, function: str, variables: dict[str, str], timeout_s: int | None = None) -> int:
        """Add environment variables to a function or change its timeout; return the timeout before, in seconds."""
        name = self.function_name(function)
        known = self.functions.get_function_configuration(FunctionName=name)
        self.functions.update_function_configuration(
            FunctionName=name,
            Timeout=timeout_s or known["Timeout"],
            Environment={"Variables": {**known["Environment"]["Variables"], **variables}},
        )
        return known["Timeout"]

    def end_faults(self) -> None:
        """Switch all faults off."""
        self.aws_faults.set([])
        self.simulator.control.quirk_off()
        for proxy in self.proxies:
            proxy.mode = Mode.OPEN
        for listener in self.listeners:
            listener.answer_with(204)

    def provider_faults(self) -> int:
        """Return the number of the provider's answers with a quirk."""
        return sum(bool(record.quirks) for record in self.simulator.control.requests())

    def refused(self, listener: int) -> int:
        """Return the number of requests that a listener answered with an error or a redirect."""
        return sum(one.answered >= _LEAST_ERROR_STATUS for one in self.listeners[listener].received)

    def ledger(self, exam_id: str | None = None) -> list[LedgerEntry]:
        """Return the changes at the provider since the first contact."""
        return [entry for entry in self.world.ledger(self.contact_entries) if exam_id in {None, entry.exam_id}]

    def bodies(self) -> list[list[bytes]]:
        """Return the events that each receiver accepted: the two webhooks, and the queue on the topic."""
        webhooks = [
            [one.body for one in listener.received if one.answered < _LEAST_ERROR_STATUS] for listener in self.listeners
        ]
        return [*webhooks, list(self.queue.bodies)]

    def evidence(self) -> str:
        """Return ledger and events as JSON, to examine a difference."""
        bodies = [[body.decode() for body in accepted] for accepted in self.bodies()]
        return json.dumps({"ledger": [asdict(entry) for entry in self.ledger()], "bodies": bodies}, indent=1)

    def audits(self, exam_id: str | None = None) -> list[Audit]:
        """Compare the ledger with the events of each receiver."""
        self.queue.take_all()
        ledger = self.ledger(exam_id)
        return [audit(ledger, bodies, self.unchanged_exam_ids) for bodies in self.bodies()]

    def drop_exam(self, exam_id: str) -> None:
        """Take an exam off the provider's list and delete its state, so that later polls do not read it."""
        self.world.unlisted.add(exam_id)
        self.installation.session.client("dynamodb").delete_item(
            TableName=self.output("SubmissionsTableName"),
            Key={"pk": {"S": exams_partition(self.output("AccountName"))}, "sk": {"S": exam_id}},
        )

    def recover(self, exam_id: str | None = None, timeout_s: float = _RECOVERY_S) -> list[Audit]:
        """End all faults and send everything that waits; return the audits once all passed, or after the timeout.

        A lost or delayed message is repeated within a quarter of an hour. From the third round on, commands replace the
        long waits: five minutes until the next attempt, a quarter of an hour until a redrive.
        """
        self.end_faults()
        give_up_at_s = time.monotonic() + timeout_s
        for nth in count():
            if nth < 2:  # noqa: PLR2004 - ordinary polls first
                self.tick()
            else:
                self.full_poll()
                since = int(self.world.clock.now()) - 5 * 86_400
                self.invoke("Dispatch", {"redrive": {"since": since}})
            self.send_waiting()
            self.retry()
            audits = self.audits(exam_id)
            # Waiting does not remove an invented event.
            is_decided = all(each.passed for each in audits) or any(each.invented for each in audits)
            if is_decided or time.monotonic() > give_up_at_s:
                break
            time.sleep(1)
        return audits

    def send_waiting(self) -> None:
        """Enable disabled endpoints, and try all waiting and failed deliveries now."""
        tables = Installation(region=self.installation.session.region_name)
        replay = Replay(tables.deliveries, tables.delivery_queue, time.time, 30, dry_run=False)
        for endpoint in tables.endpoints.list_all():
            if not endpoint.is_enabled:
                run_command(["endpoints", "enable", endpoint.endpoint_id], self.installation.environ)
            for delivery in list(tables.deliveries.every(endpoint.endpoint_id)):
                if delivery.status in _SENT_AGAIN:
                    # The first one probes the endpoint; if it succeeds, the others follow.
                    replay.retry_now(delivery, probe=True)


@contextmanager
def running_fault_stack(seed: int) -> Iterator[FaultStack]:
    """Run a stack without faults, after its first contact, until the ``with`` block ends; raises CommandFailedError."""
    with ExitStack() as exits:
        folder = Path(exits.enter_context(TemporaryDirectory(prefix="examhook-faults-")))
        world = ListedWorld(seed, VirtualClock(start_at=time.time(), speed=1.0))
        unchanged = frozenset(world.create_exam() for _ in range(_UNCHANGED_EXAMS))
        for exam_id in unchanged:
            world.populate(exam_id, _UNCHANGED_ATTEMPTS)
        simulator = exits.enter_context(running_simulator(world, code=_CODE))
        listeners = [exits.enter_context(running_listener([])) for _ in range(2)]
        proxies = [exits.enter_context(running_receiver_proxy(listener.url)) for listener in listeners]
        urls = [proxy.url for proxy in proxies]
        installation = exits.enter_context(running_demo_stack(simulator.base_url, _CODE, urls))
        for url, listener in zip(urls, listeners, strict=True):
            listener.trust([installation.secrets_by_url[url]])
        os.environ.update({name: value for name, value in installation.environ.items() if name.startswith("AWS_")})
        aws_faults = exits.enter_context(running_aws_faults(os.environ["AWS_ENDPOINT_URL"], folder / "microburst.log"))
        topic_arn = installation.stack.output("SubmissionsTopicArn")
        queue = subscribe_queue(installation.session, topic_arn, "everything")
        stack = FaultStack(world, simulator, installation, aws_faults, listeners, proxies, queue, unchanged)
        for function in FUNCTIONS:
            stack.configure(function, {"AWS_ENDPOINT_URL": aws_faults.url})
        installation.session.client("sqs").set_queue_attributes(
            QueueUrl=stack.output("DeliveryQueueUrl"), Attributes={"VisibilityTimeout": str(_VISIBILITY_S)}
        )
        _make_first_contact(stack)
        yield stack


def _make_first_contact(stack: FaultStack) -> None:
    # On a busy machine the first answers are late; a repeated call then finds the lease of the first call.
    give_up_at_s = time.monotonic() + _FIRST_CONTACT_S
    while not stack.full_poll():
        if time.monotonic() > give_up_at_s:
            raise CommandFailedError(f"The first poll failed: {stack.last_report}")
        time.sleep(5)
    stack.contact_entries = len(stack.world.ledger())
