"""Acts of the fault matrix and the soak test: repeated messages, killed functions, timeouts and a wrong clock."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator

from tools.faults.function_processes import kill_function
from tools.faults.stack import FaultStack

Act = Callable[[FaultStack], None]

_STREAM_BATCH = 100
_ONE_BY_ONE = 50


def nothing(_stack: FaultStack) -> None:
    """Do nothing."""


def deliver_again(stack: FaultStack) -> None:
    """Send every message of the delivery queue twice more, and one for a later attempt."""
    dynamodb, sqs = stack.installation.session.client("dynamodb"), stack.installation.session.client("sqs")
    queue_url = stack.output("DeliveryQueueUrl")
    for item in dynamodb.scan(TableName=stack.output("DeliveriesTableName"))["Items"]:
        for attempt in (1, 1, 2):
            message = {"endpoint_id": item["endpoint_id"]["S"], "event_id": item["event_id"]["S"], "attempt": attempt}
            sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(message))


def stream_again(stack: FaultStack) -> None:
    """Give all stream records to Dispatch again in batches, and the first of them also one by one."""
    records = list(_stream_records(stack))
    # The event source sends at most its batch size (template.yaml).
    batches = [records[start : start + _STREAM_BATCH] for start in range(0, len(records), _STREAM_BATCH)]
    for batch in (*batches, *([record] for record in records[:_ONE_BY_ONE])):
        stack.invoke("Dispatch", {"Records": batch})


def _stream_records(stack: FaultStack) -> Iterator[object]:
    session = stack.installation.session
    table = session.client("dynamodb").describe_table(TableName=stack.output("SubmissionsTableName"))["Table"]
    arn, streams = table["LatestStreamArn"], session.client("dynamodbstreams")
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator: str | None = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            answer = streams.get_records(ShardIterator=iterator, Limit=1000)
            for record in answer["Records"]:
                if record["dynamodb"].get("NewImage", {}).get("announce") == {"BOOL": True}:
                    change = {**record["dynamodb"], "ApproximateCreationDateTime": 0}
                    yield {**record, "eventSource": "aws:dynamodb", "dynamodb": change}
            iterator = answer.get("NextShardIterator") if answer["Records"] else None


def ticks_at_once(stack: FaultStack) -> None:
    """Run Poll three times and Retry twice at the same time."""
    threads = [threading.Thread(target=target) for target in (*[stack.tick] * 3, *[stack.retry] * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def killed(function: str) -> Act:
    """Return an act that kills a working function four times, as if out of memory. The row makes AWS slow meanwhile."""

    def meanwhile(stack: FaultStack) -> None:
        for _ in range(4):
            if function == "Poll":
                stack.tick(wait=False)
            time.sleep(1.5)
            kill_function(stack.emulator_pid(), stack.function_name(function), signal.SIGKILL)

    return meanwhile


def timed_out(function: str) -> Act:
    """Return an act in which a function times out twice. The row makes AWS slow meanwhile."""

    def meanwhile(stack: FaultStack) -> None:
        timeout_s = stack.configure(function, {}, 2)
        try:
            for _ in range(2):
                stack.tick()
                stack.retry()
                time.sleep(2)
        finally:
            stack.configure(function, {}, timeout_s)

    return meanwhile


def clock_ahead(seconds: int) -> Act:
    """Return an act that sets the provider's clock ahead."""

    def begin(stack: FaultStack) -> None:
        stack.world.advance(seconds)

    return begin
