"""Dispatch, Deliver and Retry in one process, with a clock that is passed in.

They use an AWS emulator, or tables in memory if the command line names webhooks. This process does the work of
Lambda's event sources: it makes stream records from submissions, and receives, delivers and deletes messages in
batches of ten.

::

    PipelineError    a function failed
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from examhook.storage.submission_outbox import StreamRecord
from examhook.storage.submissions import item_from_submission
from examhook.workflows.delivering.batch_runner import BATCH_SIZE, MAX_ATTEMPTS_AT_ONCE, BatchRunner, QueuedMessage
from examhook.workflows.delivering.report import DeliverReport
from examhook_simulator.json_fields import Fields
from tools.bench.delivery.functions import in_memory, on_aws
from tools.bench.delivery.submissions import submitted
from tools.bench.json_process import serve
from tools.bench.units import UnitCounter

_STREAM_BATCH = 100


class PipelineError(RuntimeError):
    """A function failed."""


class _Functions:
    def __init__(self, webhook_urls: list[str]) -> None:
        self.counter = UnitCounter.of_this_process()
        self.at = time.time()
        self.functions = in_memory(webhook_urls, self._now) if webhook_urls else on_aws(self._now)
        self.invocations: Counter[str] = Counter()
        self.messages = 0
        self.pool = ThreadPoolExecutor(MAX_ATTEMPTS_AT_ONCE + 1)

    def act(self, fields: Fields) -> Mapping[str, object]:
        """Execute one input line."""
        self.at = fields.number("at")
        match fields.text("do"):
            case "dispatch":
                return {"ids": self._dispatch(fields.whole("first"), fields.whole("count"))}
            case "deliver":
                return self._deliver()
            case "tick":
                return self._tick()
            case "usage":
                return self._usage()
            case other:
                raise PipelineError(other)

    def _now(self) -> float:
        return self.at

    def _dispatch(self, first: int, count: int) -> list[str]:
        ids: list[str] = []
        for start in range(first, first + count, _STREAM_BATCH):
            numbers = range(start, min(start + _STREAM_BATCH, first + count))
            submissions = {number: submitted(number, int(self.at)) for number in numbers}
            records: list[StreamRecord] = [
                {
                    "eventName": "INSERT",
                    "dynamodb": {
                        "SequenceNumber": str(number),
                        "Keys": {"sk": {"S": str(number)}},
                        "NewImage": item_from_submission(submission),
                    },
                }
                for number, submission in submissions.items()
            ]
            self.invocations["dispatch"] += 1
            report = self.functions.dispatch.run(records)
            if report.failed:
                raise PipelineError(str(report.reason))
            ids += [submission.transitions[0].event_id for submission in submissions.values()]
        return ids

    def _deliver(self) -> Mapping[str, object]:
        deliver, queue = self.functions.deliver, self.functions.queue
        while taken := queue.receive(BATCH_SIZE, 0):
            self.invocations["deliver"] += 1
            self.messages += len(taken)
            batch = [QueuedMessage(each.message_id, each.body) for each in taken]
            BatchRunner(deliver, queue, time.monotonic, _must_report, self.pool).run(batch)
            queue.delete(taken)
        return {}

    def _tick(self) -> Mapping[str, object]:
        self.invocations["retry"] += 1
        report = self.functions.retry.run()
        if report.errors:
            raise PipelineError(", ".join(report.errors))
        return {}

    def _usage(self) -> Mapping[str, object]:
        return {
            "requests": _named(self.counter.requests),
            "read_units": self.counter.read_units,
            "write_units": self.counter.write_units,
            "invocations": _named(self.invocations),
            "messages": self.messages,
        }


def _must_report(_message: QueuedMessage, outcome: DeliverReport | BaseException) -> None:
    if not isinstance(outcome, DeliverReport):
        raise PipelineError from outcome


def _named(counts: Counter[str]) -> list[dict[str, object]]:
    return [{"name": name, "count": count} for name, count in counts.items()]


if __name__ == "__main__":
    serve(_Functions(sys.argv[1:]).act)
