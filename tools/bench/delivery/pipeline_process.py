"""Dispatch, Deliver and Retry in one process, as their functions build them, with a clock that is told.

They work on an emulated AWS, or, where webhooks are named on the command line, on tables that answer
from memory. What Lambda's event sources do is done here: records of the stream are
made from the submissions, and messages are received, handed over in batches of ten, and removed.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from examhook.storage.submission_outbox import StreamRecord
from examhook.storage.submissions import item_from_submission
from examhook.workflows.delivering.batch_runner import BATCH, MOST, DeliverRound, Message
from examhook.workflows.delivering.report import DeliverReport
from examhook_simulator.wire import Fields
from tools.bench.child import serve
from tools.bench.delivery.cost import CostCounter
from tools.bench.delivery.functions import in_memory, on_aws
from tools.bench.delivery.submissions import submitted

_STREAM_BATCH = 100


class PipelineError(RuntimeError):
    """Something failed that must not fail here."""


@dataclass
class _Pipeline:
    """The three functions."""

    counter: CostCounter = field(default_factory=CostCounter.of_this_process)
    at: float = field(default_factory=time.time)
    invocations: Counter[str] = field(default_factory=Counter)
    messages: int = 0

    def __post_init__(self) -> None:
        urls = sys.argv[1:]
        functions = in_memory(urls, self.now) if urls else on_aws(self.now)
        self.dispatch, self.deliver, self.retry = functions.dispatch, functions.deliver, functions.retry
        self.queue = functions.queue
        self.pool = ThreadPoolExecutor(MOST + 1)

    def now(self) -> float:
        """The time that was told, Unix seconds."""
        return self.at

    def act(self, fields: Fields) -> Mapping[str, object]:
        """Do what one line asks for."""
        self.at = fields.number("at")
        match fields.text("do"):
            case "dispatch":
                return self._dispatch(fields.whole("first"), fields.whole("count"))
            case "deliver":
                return self._deliver()
            case "tick":
                self.invocations["retry"] += 1
                report = self.retry.run()
                if report.errors:
                    raise PipelineError(", ".join(report.errors))
                return {"enqueued": report.enqueued}
            case other:
                return self._used(other)

    def _dispatch(self, first: int, count: int) -> Mapping[str, object]:
        ids: list[str] = []
        for start in range(first, first + count, _STREAM_BATCH):
            made = [
                submitted(number, int(self.at)) for number in range(start, min(start + _STREAM_BATCH, first + count))
            ]
            records: list[StreamRecord] = [
                {
                    "eventName": "INSERT",
                    "dynamodb": {
                        "SequenceNumber": f"{start + nth}",
                        "Keys": {"sk": {"S": f"{start + nth}"}},
                        "NewImage": item_from_submission(one),
                    },
                }
                for nth, one in enumerate(made)
            ]
            self.invocations["dispatch"] += 1
            report = self.dispatch.run(records)
            if report.failed:
                raise PipelineError(str(report.reason))
            ids += [one.transitions[0].event_id for one in made]
        return {"ids": ids}

    def _deliver(self) -> Mapping[str, object]:
        """Work on the queue until nothing can be received."""
        outcomes: Counter[str] = Counter()

        def done(_message: Message, outcome: DeliverReport | BaseException) -> None:
            if not isinstance(outcome, DeliverReport):
                raise PipelineError from outcome
            outcomes[outcome.outcome.value] += 1

        while taken := self.queue.receive(BATCH, 0):
            self.invocations["deliver"] += 1
            self.messages += len(taken)
            batch = [Message(each.message_id, each.body) for each in taken]
            DeliverRound(self.deliver, self.deliver.queue, time.monotonic, done, self.pool).run(batch)
            self.queue.delete(taken)
        return {"outcomes": _named(outcomes)}

    def _used(self, what: str) -> Mapping[str, object]:
        if what != "used":
            raise PipelineError(what)
        return {
            "requests": _named(self.counter.requests),
            "read_units": self.counter.read_units,
            "write_units": self.counter.write_units,
            "invocations": _named(self.invocations),
            "messages": self.messages,
        }


def _named(counts: Counter[str]) -> list[dict[str, object]]:
    return [{"name": name, "count": count} for name, count in counts.items()]


if __name__ == "__main__":
    serve(_Pipeline().act)
