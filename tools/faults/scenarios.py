"""What happens in some rows of the fault matrix beside or instead of a fault that is switched on."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.faults.function_processes import kill_function
from tools.faults.stack import Stage, configure

Act = Callable[[Stage], None]

_STREAM_BATCH = 100
_ONE_BY_ONE = 50


def nothing(_stage: Stage) -> None:
    """What a row does where there is nothing more to do."""


def deliver_again(stage: Stage) -> None:
    """Every message that was ever on the delivery queue once more, twice, and one from the future."""
    deliveries = stage.installation.stack.output("DeliveriesTableName")
    dynamodb, sqs = stage.installation.session.client("dynamodb"), stage.installation.session.client("sqs")
    for item in dynamodb.scan(TableName=deliveries)["Items"]:
        for attempt in (1, 1, 2):
            message = {"endpoint_id": item["endpoint_id"]["S"], "event_id": item["event_id"]["S"], "attempt": attempt}
            queue_url = stage.installation.stack.output("DeliveryQueueUrl")
            sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(message))


def stream_again(stage: Stage) -> None:
    """Every record that the stream still has, given to Dispatch again, in batches, and many of them one by one too."""
    records = list(_stream_records(stage))
    # No event source brings more than its batch size (template.yaml) at once.
    batches = [records[start : start + _STREAM_BATCH] for start in range(0, len(records), _STREAM_BATCH)]
    for batch in (*batches, *([record] for record in records[:_ONE_BY_ONE])):
        stage.invoke("Dispatch", {"Records": batch})


def _stream_records(stage: Stage) -> Iterator[object]:
    session = stage.installation.session
    table = stage.installation.stack.output("SubmissionsTableName")
    arn = session.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    streams = session.client("dynamodbstreams")
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


def ticks_at_once(stage: Stage) -> None:
    """Three ticks of Poll and two of Retry, started together."""
    threads = [threading.Thread(target=stage.tick) for _ in range(3)]
    threads += [threading.Thread(target=stage.invoke, args=("Retry", {"trigger": "schedule"})) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def killed(function: str) -> Act:
    """Late AWS keeps the function at work, and it is killed then, as for want of memory; four times."""

    def meanwhile(stage: Stage) -> None:
        for _ in range(4):
            if function == "Poll":
                stage.tick(wait=False)
            time.sleep(1.5)
            kill_function(stage.emulator_pid(), stage.name(function), signal.SIGKILL)

    return meanwhile


@contextmanager
def time_limit(stage: Stage, function: str, limit_s: int) -> Iterator[None]:
    """A function that is ended after ``limit_s`` seconds, for the length of a ``with`` block."""
    before_s = configure(stage, function, {}, limit_s)
    try:
        yield
    finally:
        configure(stage, function, {}, before_s)


def timed_out(function: str) -> Act:
    """Late AWS makes the function run out of time, twice."""

    def meanwhile(stage: Stage) -> None:
        with time_limit(stage, function, 2):
            for _ in range(2):
                stage.tick()
                stage.invoke("Retry", {"trigger": "schedule"})
                time.sleep(2)

    return meanwhile


def clock_ahead(seconds: int) -> Act:
    """The provider's clock is set ahead."""

    def begin(stage: Stage) -> None:
        stage.world.advance(seconds)

    return begin
