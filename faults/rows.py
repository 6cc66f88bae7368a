"""The rows of the fault matrix: what is broken, how it is switched on, and what else happens meanwhile."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from examhook_cli.simulator.facts import RowOrder
from faults.door import Mode
from faults.processes import kill_function
from faults.stage import FUNCTIONS, Stage, configure
from faults.weather import Rule

Act = Callable[[Stage], None]
SERVICES = {"dynamodb": "DynamoDB", "sns": "SNS", "sqs": "SQS", "secretsmanager": "Secrets Manager", "kms": "KMS"}


_STREAM_BATCH = 100
_ONE_BY_ONE = 50


def nothing(_stage: Stage) -> None:
    """What a row does where there is nothing more to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the matrix."""

    group: str
    fault: str
    begin: Act
    """Switches the fault on."""
    meanwhile: Act = nothing
    """What happens after the poll that should have announced everything."""
    hits: Callable[[Stage], int] | None = None
    """Counts how often the fault was made so far; None where it is an act that happens for certain."""


def _weather(*rules: Rule) -> Act:
    """Bad weather, met by fresh processes: what older ones keep in memory (code, secrets) they would not ask for."""

    def begin(stage: Stage) -> None:
        for function in FUNCTIONS:
            kill_function(stage.emulator_pid(), stage.name(function), signal.SIGKILL)
        stage.weather.set(rules)

    return begin


def _aws(fault: str, rule: Rule, services: Sequence[str] = tuple(SERVICES)) -> Iterator[Row]:
    for service in services:
        yield Row("AWS", f"{SERVICES[service]}: {fault}", _weather({"service": service, **rule}), hits=_made)


def _made(stage: Stage) -> int:
    return stage.weather.fired()


_TRANSIENT = {"sequence": {"fail": 1, "pass": 1}, "times": 30}
_ON_THE_WAY = ("dynamodb", "sns", "sqs")
AWS_ROWS = (
    *_aws("throttled, every other call", {**_TRANSIENT, "error": {"code": "ThrottlingException"}}),
    *_aws("internal error, every other call", {**_TRANSIENT, "error": {"code": "InternalServerError", "status": 500}}),
    *_aws("down (the next 25 calls fail)", {"times": 25, "error": {"code": "ServiceUnavailable", "status": 503}}),
    *_aws("two seconds late", {"times": 15, "latency": 2000}),
    *_aws("connection reset before it is done, every other call", {**_TRANSIENT, "reset": True}),
    *_aws(
        "done, but the answer is lost, every other call", {**_TRANSIENT, "response": {"abort_bytes": 1}}, _ON_THE_WAY
    ),
    *_aws(
        "done, but the answer is garbled, every other call",
        {**_TRANSIENT, "response": {"truncate_frac": 0.5}},
        ("sns", "sqs"),
    ),
    *_aws(
        "the function's clock is refused, every other call",
        {**_TRANSIENT, "error": {"code": "InvalidSignatureException", "status": 400}},
        _ON_THE_WAY,
    ),
)

_SOME_FAILED = {"response": {"set_headers": {"x-some-failed": "1"}}}
PARTIAL_ROWS = tuple(
    Row("AWS", f"{SERVICES[service]}: every other entry of a batch is said to have failed", begin, hits=_made)
    for service, begin in (
        ("sns", _weather({"service": "sns", "operation": "PublishBatch", "times": 5, **_SOME_FAILED})),
        ("sqs", _weather({"service": "sqs", "operation": "SendMessageBatch", "times": 5, **_SOME_FAILED})),
    )
)


def _quirk(switch: str) -> Act:
    return lambda stage: stage.simulator.control.quirk_on(switch)


def _touched(stage: Stage) -> int:
    return sum(bool(record.quirks) for record in stage.simulator.control.requests())


PROVIDER_ROWS = tuple(
    Row("Provider", fault, _quirk(switch), hits=_touched)
    for fault, switch in (
        ("HTTP 500, every other answer", "server_error@0.5"),
        ("HTTP 429 with Retry-After", "throttled=1@next2"),
        ("a web page instead of data, every other answer", "html_page@0.5"),
        ("an error object, once", "error_object@next1"),
        ("an empty list, once", "empty_list@next1"),
        ("no body, every other answer", "empty_body@0.5"),
        ("the body is cut, every other answer", "cut_body@0.5"),
        ("the connection ends in the body, every other answer", "cut_connection@0.5"),
        ("the connection is reset, every other answer", "reset@0.5"),
        ("three seconds late", "slow=3@next3"),
        ("no answer at all, once", "hang=30@next1"),
        ("PHP notices before the data", "php_notices"),
        ("a byte order mark", "bom"),
        ("a row that makes no sense in each answer", "unreadable_row"),
        ("every number is text", "numbers_as_strings"),
        ("rows without status", "no_status_in_lists"),
        ("rows in another order at every request", f"row_order={RowOrder.SHUFFLED}"),
        ("pages of two rows, whatever is asked for", "limit_cap=2"),
        ("start is ignored", "ignore_start"),
    )
)


def _door(mode: Mode) -> Act:
    def begin(stage: Stage) -> None:
        stage.doors[0].mode = mode

    return begin


def _broken(stage: Stage) -> int:
    return stage.doors[0].broken


def _answers(status: int) -> Act:
    return lambda stage: stage.listeners[0].answer_with(status)


def _refused(stage: Stage) -> int:
    return sum(one.answered >= 300 for one in stage.listeners[0].received)  # noqa: PLR2004 - no success


RECEIVER_ROWS = (
    *(Row("Receiver", f"its connection {mode}", _door(mode), hits=_broken) for mode in Mode if mode is not Mode.OPEN),
    *(
        Row("Receiver", f"answers HTTP {status}", _answers(status), hits=_refused)
        for status in (400, 404, 429, 500, 503)
    ),
    Row("Receiver", "answers HTTP 410 and is disabled, then enabled again", _answers(410), hits=_refused),
)


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
                if record["dynamodb"].get("NewImage", {}).get("announce"):
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


def _killed(function: str) -> Act:
    """Late AWS keeps the function at work, and it is killed then, as for want of memory; four times."""

    def meanwhile(stage: Stage) -> None:
        for _ in range(4):
            if function == "Poll":
                stage.tick(wait=False)
            time.sleep(1.5)
            kill_function(stage.emulator_pid(), stage.name(function), signal.SIGKILL)

    return meanwhile


_LATE = _weather({"service": "dynamodb", "latency": 700})


@contextmanager
def time_limit(stage: Stage, function: str, limit_s: int) -> Iterator[None]:
    """A function that is ended after ``limit_s`` seconds, for the length of a ``with`` block."""
    before_s = configure(stage, function, {}, limit_s)
    try:
        yield
    finally:
        configure(stage, function, {}, before_s)


def _timed_out(function: str) -> Act:
    def meanwhile(stage: Stage) -> None:
        with time_limit(stage, function, 2):
            for _ in range(2):
                stage.tick()
                stage.invoke("Retry", {"trigger": "schedule"})
                time.sleep(2)

    return meanwhile


def _clock_ahead(seconds: int) -> Act:
    def begin(stage: Stage) -> None:
        stage.world.advance(seconds)

    return begin


PROCESS_ROWS = (
    Row("Process", "the stream delivers its records again, in batches and one by one", nothing, stream_again),
    Row("Process", "SQS delivers every message again, twice, and later ones early", nothing, deliver_again),
    Row("Process", "three ticks of Poll and two of Retry at once", nothing, ticks_at_once),
    *(
        Row("Process", f"{name} is killed at work (as out of memory)", _LATE, _killed(name), _made)
        for name in ("Poll", "Dispatch", "Deliver")
    ),
    *(
        Row("Process", f"{name} runs out of time at work", _LATE, _timed_out(name), _made)
        for name in ("Poll", "Dispatch", "Deliver")
    ),
    Row("Process", "the provider's clock is an hour ahead of ours", _clock_ahead(3600)),
    Row("Process", "the provider's clock is two days ahead of ours", _clock_ahead(2 * 86_400)),
)

ROWS = (*AWS_ROWS, *PARTIAL_ROWS, *PROVIDER_ROWS, *RECEIVER_ROWS, *PROCESS_ROWS)
