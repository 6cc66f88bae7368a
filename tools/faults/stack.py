"""Everything that takes part: the provider, the stack with bad weather around it, and receivers behind doors."""

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
from examhook_simulator.facts import LedgerEntry
from examhook_simulator.server import Simulator, running_simulator
from tools.faults.audit import Verdict, audit
from tools.faults.aws_faults import Weather, running_weather
from tools.faults.passing_world import PassingWorld
from tools.faults.receiver_proxy import Door, Mode, door_to

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

FUNCTIONS = ("Poll", "Dispatch", "Deliver", "Retry")
_CALLS = Config(read_timeout=330, retries={"total_max_attempts": 1})
_CODE = "code-of-the-faults"
_FIRST_CONTACT_S = 300
_PAST_EXAMS, _PAST_ATTEMPTS = 2, 40
_HIDDEN_S = 60
"""So long the delivery queue hides a message in work: the least that AWS allows where Deliver may take a minute."""
_SENT_AGAIN = (DeliveryStatus.WAITING, DeliveryStatus.PENDING, DeliveryStatus.FAILED)


@dataclass(slots=True)
class Stage:
    """What rows of the matrix and the soak act upon."""

    world: PassingWorld
    simulator: Simulator
    installation: DemoStack
    weather: Weather
    listeners: Sequence[Listener]
    doors: Sequence[Door]
    queue: QueueSubscriber
    noted: int = 0
    """Entries of the ledger up to the first contact."""
    past: frozenset[str] = frozenset()
    """Ids of exams that have old results only, so that nothing may be announced of them."""
    last_poll: str = ""
    """What the last full poll said."""

    @property
    def functions(self) -> LambdaClient:
        """Calls the functions directly, past the weather."""
        return self.installation.session.client("lambda", config=_CALLS)

    def name(self, function: str) -> str:
        """The deployed name of one of FUNCTIONS."""
        return self.installation.stack.output(f"{function}FunctionName")

    def invoke(self, function: str, payload: object, *, wait: bool = True) -> bool:
        """Run a function; whether it ended well (or was taken, where nobody waits)."""
        answer = self.functions.invoke(
            FunctionName=self.name(function),
            InvocationType="RequestResponse" if wait else "Event",
            Payload=json.dumps(payload).encode(),
        )
        return not answer.get("FunctionError")

    def tick(self, *, wait: bool = True) -> bool:
        """What the schedule of polls does."""
        return self.invoke("Poll", {"trigger": "schedule"}, wait=wait)

    def full_poll(self) -> bool:
        """A poll that reads everything; whether it was complete."""
        answer = self.functions.invoke(FunctionName=self.name("Poll"), Payload=b'{"trigger":"manual","full":true}')
        said = json.loads(answer["Payload"].read())
        self.last_poll = json.dumps(said)
        return bool(said.get("complete"))

    def calm(self) -> None:
        """End all faults."""
        self.weather.set([])
        self.simulator.control.quirk_off()
        for door in self.doors:
            door.mode = Mode.OPEN
        for listener in self.listeners:
            listener.answer_with(204)

    def ledger(self, exam_id: str | None = None) -> list[LedgerEntry]:
        """What happened since the first contact."""
        return [entry for entry in self.world.ledger(self.noted) if exam_id in {None, entry.exam_id}]

    def bodies(self) -> list[list[bytes]]:
        """What each receiver took so far: the webhooks, and the queue on the topic."""
        took = [[one.body for one in listener.received if one.answered < 300] for listener in self.listeners]  # noqa: PLR2004 - success
        return [*took, list(self.queue.bodies)]

    def evidence(self) -> str:
        """Ledger and bodies as JSON, for looking into a difference."""
        bodies = [[body.decode() for body in took] for took in self.bodies()]
        return json.dumps({"ledger": [asdict(entry) for entry in self.ledger()], "bodies": bodies}, indent=1)

    def verdicts(self, exam_id: str | None = None) -> list[Verdict]:
        """The ledger against each receiver: the webhooks, and the queue on the topic."""
        self.queue.take_all()
        ledger = self.ledger(exam_id)
        return [audit(ledger, bodies, self.past) for bodies in self.bodies()]

    def forget(self, exam_id: str) -> None:
        """Take an exam off the provider's list and delete its state, so that later polls do not read it."""
        self.world.over.add(exam_id)
        account = self.installation.stack.output("AccountName")
        self.installation.session.client("dynamodb").delete_item(
            TableName=self.installation.stack.output("SubmissionsTableName"),
            Key={"pk": {"S": exams_partition(account)}, "sk": {"S": exam_id}},
        )

    def heal(self, exam_id: str | None = None, timeout_s: float = 1200) -> list[Verdict]:
        """Without any faults, let everything that waits go out now; the verdicts once they are good, or after all.

        The longest that anything waits is a quarter of an hour: a message that was lost or held back is repeated then.
        What a person would have to wait for (five minutes until the next attempt, a quarter of an hour until a redrive
        is tried again) is done by command from the third round on.
        """
        self.calm()
        give_up_at = time.monotonic() + timeout_s
        for turn in count():
            if turn < 2:  # noqa: PLR2004 - ordinary polls first
                self.tick()
            else:
                self.full_poll()
                since = int(self.world.clock.now()) - 5 * 86_400
                self.invoke("Dispatch", {"redrive": {"since": since}})
            self.send_what_waits()
            self.invoke("Retry", {"trigger": "schedule"})
            verdicts = self.verdicts(exam_id)
            # Waiting does not undo what was invented.
            is_decided = all(verdict.good for verdict in verdicts) or any(verdict.invented for verdict in verdicts)
            if is_decided or time.monotonic() > give_up_at:
                break
            time.sleep(1)
        return verdicts

    def send_what_waits(self) -> None:
        """Try every delivery that waits or failed now, and first enable endpoints that were disabled."""
        tables = Installation(region=self.installation.session.region_name)
        replay = Replay(tables.deliveries, tables.delivery_queue, time.time, 30, dry_run=False)
        for endpoint in tables.endpoints.list_all():
            if not endpoint.is_enabled:
                run_command(["endpoints", "enable", endpoint.endpoint_id], self.installation.environ)
            for delivery in list(tables.deliveries.every(endpoint.endpoint_id)):
                if delivery.status in _SENT_AGAIN:
                    # One of them finds out whether the endpoint is back; that lets the others go.
                    replay.retry_now(delivery, probe=True)

    def emulator_pid(self) -> int:
        """The process whose children the functions are."""
        state = Path(self.installation.environ["EXAMHOOK_LOCAL_DIR"])
        return int(json.loads((state / "emulator.json").read_text())["pid"])


@contextmanager
def stage(seed: int) -> Iterator[Stage]:
    """A stack that is up, has seen its provider once, and suffers nothing yet."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="examhook-faults-")))
        world = PassingWorld(seed, VirtualClock(start_at=time.time(), speed=1.0))
        past = frozenset(world.create_exam() for _ in range(_PAST_EXAMS))
        for exam_id in past:
            world.populate(exam_id, _PAST_ATTEMPTS)
        simulator = stack.enter_context(running_simulator(world, code=_CODE))
        listeners = [stack.enter_context(running_listener([])) for _ in range(2)]
        doors = [stack.enter_context(door_to(listener.url)) for listener in listeners]
        installation = stack.enter_context(running_demo_stack(simulator.base_url, _CODE, [door.url for door in doors]))
        for door, listener in zip(doors, listeners, strict=True):
            listener.trust([installation.secrets_by_url[door.url]])
        os.environ.update({name: value for name, value in installation.environ.items() if name.startswith("AWS_")})
        weather = stack.enter_context(running_weather(os.environ["AWS_ENDPOINT_URL"], folder / "microburst.log"))
        topic_arn = installation.stack.output("SubmissionsTopicArn")
        queue = subscribe_queue(installation.session, topic_arn, "everything")
        made = Stage(world, simulator, installation, weather, listeners, doors, queue)
        for function in FUNCTIONS:
            configure(made, function, {"AWS_ENDPOINT_URL": weather.url})
        installation.session.client("sqs").set_queue_attributes(
            QueueUrl=installation.stack.output("DeliveryQueueUrl"), Attributes={"VisibilityTimeout": str(_HIDDEN_S)}
        )
        # On a busy machine the first answers come so late that a call is repeated and meets its own lease.
        give_up_at = time.monotonic() + _FIRST_CONTACT_S
        while not made.full_poll():
            if time.monotonic() > give_up_at:
                raise CommandFailedError(f"The first poll failed: {made.last_poll}")
            time.sleep(5)
        made.noted, made.past = len(world.ledger()), past
        yield made


def configure(stage: Stage, function: str, variables: dict[str, str], timeout_s: int | None = None) -> int:
    """Add variables to a function's environment, or change its time limit; the limit before, in seconds."""
    client = stage.functions
    known = client.get_function_configuration(FunctionName=stage.name(function))
    client.update_function_configuration(
        FunctionName=stage.name(function),
        Timeout=timeout_s or known["Timeout"],
        Environment={"Variables": {**known["Environment"]["Variables"], **variables}},
    )
    return known["Timeout"]
