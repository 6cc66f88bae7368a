"""Runs one invocation of Deliver: a batch of messages in parallel, and further messages while receivers are slow.

An invocation ends when its slowest attempt ends, and only a few invocations run at once. If each of them waited for a
hanging receiver, no endpoint would receive anything until the deadline. Therefore an invocation that only waits
receives further messages from the queue itself::

    batch ──▶ run, up to ENDPOINT_CONCURRENCY per endpoint ── further messages of that endpoint ──▶ hold back
               │                                                                                        │
               │ an attempt ends ◀────────── run the next message of its endpoint ──────────────────────┤
               └ an attempt is long-running (IDLE_AFTER_S): receive                                     │
                 further messages, for up to RECEIVE_FOR_S      all attempts at their endpoint run longer
                                                                than SLOW_AFTER_S: return them to the queue

Messages are removed from the queue only after they were processed, so messages of a process that dies are received
again. The Deliveries table records which attempts were made.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

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
from examhook.workflows.delivering.deliver import DeliverWebhooks
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome

BATCH_SIZE = 10
"""Messages per batch (``BatchSize`` in template.yaml), and maximum parallel attempts that are not long-running."""
MAX_ATTEMPTS_AT_ONCE = 30
"""Maximum parallel attempts of a process, including long-running ones."""
IDLE_AFTER_S = 0.25
"""Duration after which an attempt is long-running; also the minimum time between two receive requests."""
SLOW_AFTER_S = 1.0
"""Duration after which an attempt is slow."""
RECEIVE_FOR_S = 20.0
"""Time during which an invocation receives further messages; their attempts must end within the function's 60 s."""
RETURN_DELAY_S = 5
"""Delay of messages that are returned to the queue because all attempts at their endpoint are slow."""

_RECEIVE_WAIT_S = 1
"""Long-poll duration while an attempt is slow. Long polls save requests, but the invocation cannot end before them."""
_WAKE_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message to process."""

    message_id: str
    body: str
    received: ReceivedMessage | None = None
    """Set if this invocation received the message itself; None for messages of the batch."""


@dataclass(frozen=True, slots=True)
class _RunningAttempt:
    message: QueuedMessage
    parsed: DeliveryMessage
    began_s: float


OnDone = Callable[[QueuedMessage, DeliverReport | BaseException], None]
"""Called once for each message, with its report or its error."""


@dataclass(slots=True)
class BatchRunner:
    """Processes one batch; call ``run`` only once.

    ``pool`` needs MAX_ATTEMPTS_AT_ONCE + 1 threads. It is shared between batches, because starting threads costs as
    much as signing a batch.
    """

    deliver: DeliverWebhooks
    queue: DeliveryQueue
    monotonic: Callable[[], float]
    on_done: OnDone
    pool: ThreadPoolExecutor
    _ended: SimpleQueue[object] = field(default_factory=SimpleQueue)
    """Wakes ``run`` when an attempt or a receive request ends."""
    _running: dict[Future[DeliverReport], _RunningAttempt] = field(default_factory=dict)
    _held_back: defaultdict[str, deque[tuple[QueuedMessage, DeliveryMessage]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    _receiving: Future[list[ReceivedMessage]] | None = None
    _began_s: float = 0.0
    _last_received_s: float = 0.0
    """When the last receive request began; 0 if it returned messages, because the queue may hold more."""

    def run(self, batch: Sequence[QueuedMessage]) -> None:
        """Process ``batch`` and the messages received meanwhile."""
        self._began_s = self.monotonic()
        self._admit(batch)
        while self._running or self._receiving is not None:
            with suppress(Empty):
                self._ended.get(timeout=_WAKE_INTERVAL_S)
            self._finish_attempts()
            self._finish_receiving()
            self._return_messages_of_slow_endpoints()
            self._receive_more()

    def _admit(self, messages: Sequence[QueuedMessage]) -> None:
        """Start as many attempts as each endpoint allows, and hold back the other messages."""
        admitted: list[tuple[QueuedMessage, DeliveryMessage]] = []
        attempts = Counter(each.parsed.endpoint_id for each in self._running.values())
        for message in messages:
            try:
                parsed = parse_body(message.body)
            except BadMessageError as error:
                self.on_done(message, error)
                continue
            is_admitted = attempts[parsed.endpoint_id] < ENDPOINT_CONCURRENCY
            (admitted if is_admitted else self._held_back[parsed.endpoint_id]).append((message, parsed))
            attempts[parsed.endpoint_id] += 1
        loaded = self._load_batch([parsed for _, parsed in admitted])
        for message, parsed in admitted:
            self._start(message, parsed, loaded)

    def _load_batch(self, messages: Sequence[DeliveryMessage]) -> LoadedBatch:
        try:
            return self.deliver.load_batch(messages) if len(messages) > 1 else NOTHING_LOADED
        except (ClientError, BotoCoreError):
            # Each attempt then loads its own data; messages whose attempt cannot do so are received again.
            return NOTHING_LOADED

    def _start(self, message: QueuedMessage, parsed: DeliveryMessage, loaded: LoadedBatch) -> None:
        future = self.pool.submit(self.deliver.process, parsed, loaded)
        self._running[future] = _RunningAttempt(message, parsed, self.monotonic())
        future.add_done_callback(self._ended.put)

    def _finish_attempts(self) -> None:
        """Report attempts that have ended, and start the next message of their endpoint."""
        removable: list[ReceivedMessage] = []
        for future in [each for each in self._running if each.done()]:
            attempt = self._running.pop(future)
            error = future.exception()
            self.on_done(attempt.message, future.result() if error is None else error)
            if error is None and attempt.message.received is not None:
                removable.append(attempt.message.received)
            held_back = self._held_back[attempt.parsed.endpoint_id]
            if held_back:
                # The state of the endpoint may have changed since the batch was loaded, so load it again.
                self._start(*held_back.popleft(), NOTHING_LOADED)
        self._remove(removable)

    def _finish_receiving(self) -> None:
        if self._receiving is None or not self._receiving.done():
            return
        receiving, self._receiving = self._receiving, None
        # Messages that could not be received stay on the queue.
        received = [] if receiving.exception() else receiving.result()
        if received:
            self._last_received_s = 0.0
        self._admit([QueuedMessage(each.message_id, each.body, each) for each in received])

    def _receive_more(self) -> None:
        """Receive further messages if attempts take long and there is capacity for more."""
        now = self.monotonic()
        is_too_early = now - self._last_received_s < IDLE_AFTER_S
        if self._receiving is not None or is_too_early or now - self._began_s > RECEIVE_FOR_S:
            return
        long_running = sum(now - each.began_s > IDLE_AFTER_S for each in self._running.values())
        capacity = min(BATCH_SIZE - (len(self._running) - long_running), MAX_ATTEMPTS_AT_ONCE - len(self._running))
        if long_running and capacity > 0:
            wait_s = _RECEIVE_WAIT_S if any(_is_slow(each, now) for each in self._running.values()) else 0
            self._last_received_s = now
            self._receiving = self.pool.submit(self.queue.receive, capacity, wait_s)
            self._receiving.add_done_callback(self._ended.put)

    def _return_messages_of_slow_endpoints(self) -> None:
        now = self.monotonic()
        for endpoint_id, held_back in self._held_back.items():
            attempts = [each for each in self._running.values() if each.parsed.endpoint_id == endpoint_id]
            if held_back and all(_is_slow(each, now) for each in attempts):
                messages = list(held_back)
                held_back.clear()
                self._return_to_queue(messages)

    def _return_to_queue(self, messages: Sequence[tuple[QueuedMessage, DeliveryMessage]]) -> None:
        try:
            self.queue.send([parsed for _, parsed in messages], delay_s=RETURN_DELAY_S)
        except (ClientError, BotoCoreError, DeliveryQueueError) as error:
            for message, _ in messages:
                self.on_done(message, error)
            return
        for message, parsed in messages:
            self.on_done(message, DeliverReport(parsed, MessageOutcome.PUT_OFF, "its receiver is slow to answer"))
        self._remove([message.received for message, _ in messages if message.received is not None])

    def _remove(self, received: Sequence[ReceivedMessage]) -> None:
        # Messages that stay on the queue are received again and dropped, because their attempts were made.
        with suppress(ClientError, BotoCoreError):
            self.queue.delete(received)


def _is_slow(attempt: _RunningAttempt, now: float) -> bool:
    return now - attempt.began_s > SLOW_AFTER_S
