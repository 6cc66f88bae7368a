"""One invocation of Deliver: a batch of messages side by side, and more of them while a slow receiver is waited for.

An invocation ends when its slowest attempt does, and only a few run at once. If each of them waited
for a receiver that hangs, nothing would be sent to anybody until the deadline. So an invocation that
only waits goes on working::

    batch ──▶ attempts, at most ENDPOINT_CONCURRENCY at one endpoint ── the rest of its messages ──▶ aside
                 │                                                                       │
                 │ ended ◀────────────── take its place ─────────────────────────────────┤
                 └ some for longer than IDLE_AFTER_S: take more messages off the queue   └ all attempts at its endpoint
                   by ourselves, for TAKE_FOR_S at most                 for PATIENCE_S and more: back on the queue

A message that was taken and whose process dies comes again like any other, since only what was worked
on is removed; which attempt is made stands in the Deliveries table.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from examhook.delivery.rate_limit import ENDPOINT_CONCURRENCY
from examhook.destinations.delivery_queue import (
    BadMessageError,
    DeliveryMessage,
    DeliveryQueue,
    DeliveryQueueError,
    ReceivedMessage,
    parse_body,
)
from examhook.storage.batch_loader import NOTHING_LOADED, LoadedBatch
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome

BATCH = 10
"""Messages of one batch (template.yaml, ``BatchSize``), and attempts made at once beside those that take longer."""
MOST = 30
"""Attempts that a process makes at once, all included."""
IDLE_AFTER_S = 0.25
"""An attempt that takes longer leaves room for another beside it; so often, too, the queue is looked at."""
PATIENCE_S = 1.0
"""An attempt that takes longer is slow: what is for its endpoint does not wait here, and looks at the queue wait."""
TAKE_FOR_S = 20.0
"""After this an invocation takes no more: what it took last has to end within the function's 60 s."""
PUT_BACK_S = 5
"""A message that found only slow attempts at its endpoint comes again after this."""

_TAKE_WAIT_S = 1
"""A look at the queue that waits costs as much as one that does not; an attempt that ends meanwhile waits for it."""
_GLANCE_S = 0.1


@dataclass(frozen=True, slots=True)
class Message:
    """A message to work on: of the batch, or taken off the queue by this invocation."""

    message_id: str
    body: str
    taken: ReceivedMessage | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message that is being worked on."""

    message: Message
    parsed: DeliveryMessage
    began_s: float


Done = Callable[[Message, DeliverReport | BaseException], None]
"""Called once for each message, with what became of it or what went wrong."""


class Worker(Protocol):
    """Who makes the attempts: ``workflows.delivering.deliver.DeliverWebhooks``."""

    def load_batch(self, messages: Sequence[DeliveryMessage], /) -> LoadedBatch:
        """What these speak of, as it is now. Raises botocore's errors."""

    def process(self, message: DeliveryMessage, known: LoadedBatch, /) -> DeliverReport:
        """Make the attempt that a message asks for, reading what is not ``known``."""


@dataclass(slots=True)
class DeliverRound:
    """Works on one batch; ``run`` may be called once.

    ``pool`` has MOST + 1 threads and outlives it: to start them for each batch costs as much as to sign it.
    """

    worker: Worker
    queue: DeliveryQueue
    monotonic: Callable[[], float]
    done: Done
    pool: ThreadPoolExecutor
    _ended: SimpleQueue[object] = field(default_factory=SimpleQueue)
    _attempts: dict[Future[DeliverReport], Attempt] = field(default_factory=dict)
    _aside: defaultdict[str, deque[tuple[Message, DeliveryMessage]]] = field(default_factory=lambda: defaultdict(deque))
    _taking: Future[list[ReceivedMessage]] | None = None
    _began_s: float = 0.0
    _took_s: float = 0.0
    """When the queue was last looked at in vain."""

    def run(self, batch: Sequence[Message]) -> None:
        """Work on ``batch``, and on what is taken meanwhile, to the end."""
        self._began_s = self.monotonic()
        self._admit(batch)
        while self._attempts or self._taking is not None:
            with suppress(Empty):
                self._ended.get(timeout=_GLANCE_S)
            self._finish()
            self._put_back()
            self._take_more()

    def _admit(self, messages: Sequence[Message]) -> None:
        """Begin as many as their endpoints may get at once, and lay the rest aside.

        What is begun later reads for itself how its endpoint is by then.
        """
        now: list[tuple[Message, DeliveryMessage]] = []
        places = Counter(each.parsed.endpoint_id for each in self._attempts.values())
        for message in messages:
            try:
                parsed = parse_body(message.body)
            except BadMessageError as error:
                self.done(message, error)
                continue
            has_place = places[parsed.endpoint_id] < ENDPOINT_CONCURRENCY
            (now if has_place else self._aside[parsed.endpoint_id]).append((message, parsed))
            places[parsed.endpoint_id] += 1
        known = self._load_batch([parsed for _, parsed in now])
        for message, parsed in now:
            self._begin(message, parsed, known)

    def _load_batch(self, messages: Sequence[DeliveryMessage]) -> LoadedBatch:
        try:
            return self.worker.load_batch(messages) if len(messages) > 1 else NOTHING_LOADED
        except (ClientError, BotoCoreError):
            # Each reads for itself then, and those that cannot come again.
            return NOTHING_LOADED

    def _begin(self, message: Message, parsed: DeliveryMessage, known: LoadedBatch = NOTHING_LOADED) -> None:
        future = self.pool.submit(self.worker.process, parsed, known)
        self._attempts[future] = Attempt(message, parsed, self.monotonic())
        future.add_done_callback(self._ended.put)

    def _finish(self) -> None:
        """Tell of what has ended, and begin what waited for it."""
        removable: list[ReceivedMessage] = []
        for future in [each for each in self._attempts if each.done()]:
            attempt = self._attempts.pop(future)
            error = future.exception()
            self.done(attempt.message, future.result() if error is None else error)
            if error is None and attempt.message.taken is not None:
                removable.append(attempt.message.taken)
            aside = self._aside[attempt.parsed.endpoint_id]
            if aside:
                self._begin(*aside.popleft())
        self._remove(removable)
        if self._taking is not None and self._taking.done():
            taking, self._taking = self._taking, None
            # What could not be taken stays on the queue for others.
            taken = [] if taking.exception() else taking.result()
            if taken:
                # There may be more at once.
                self._took_s = 0.0
            self._admit([Message(each.message_id, each.body, each) for each in taken])

    def _take_more(self) -> None:
        now = self.monotonic()
        if self._taking is not None or now - self._took_s < IDLE_AFTER_S or now - self._began_s > TAKE_FOR_S:
            return
        waited_for = sum(now - each.began_s > IDLE_AFTER_S for each in self._attempts.values())
        room = min(BATCH - (len(self._attempts) - waited_for), MOST - len(self._attempts))
        if waited_for and room > 0:
            wait_s = _TAKE_WAIT_S if any(self._is_slow(each, now) for each in self._attempts.values()) else 0
            self._took_s = now
            self._taking = self.pool.submit(self.queue.receive, room, wait_s)
            self._taking.add_done_callback(self._ended.put)

    def _put_back(self) -> None:
        """Let messages wait on the queue rather than here where all attempts at their endpoint are slow."""
        now = self.monotonic()
        for endpoint_id, aside in self._aside.items():
            of_endpoint = [each for each in self._attempts.values() if each.parsed.endpoint_id == endpoint_id]
            if not aside or not all(self._is_slow(each, now) for each in of_endpoint):
                continue
            waiting = list(aside)
            aside.clear()
            try:
                self.queue.send([parsed for _, parsed in waiting], delay_s=PUT_BACK_S)
            except (ClientError, BotoCoreError, DeliveryQueueError) as error:
                for message, _ in waiting:
                    self.done(message, error)
                continue
            for message, parsed in waiting:
                self.done(message, DeliverReport(parsed, MessageOutcome.PUT_OFF, "its receiver is slow to answer"))
            self._remove([message.taken for message, _ in waiting if message.taken is not None])

    def _remove(self, taken: Sequence[ReceivedMessage]) -> None:
        try:
            self.queue.delete(taken)
        except (ClientError, BotoCoreError):
            # They come again, and are dropped, since their attempts are made.
            return

    def _is_slow(self, attempt: Attempt, now: float) -> bool:
        return now - attempt.began_s > PATIENCE_S
