"""The rows of the fault matrix: what is broken, how it is switched on, and what else happens meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence

from examhook.delivery.endpoint import DOWN_AFTER_FAILURES
from tools.faults.aws_faults import Rule
from tools.faults.processes import kill_function
from tools.faults.provider_rows import PROVIDER_ROWS
from tools.faults.receiver_proxy import Mode
from tools.faults.row import Row
from tools.faults.scenarios import (
    Act,
    clock_ahead,
    deliver_again,
    killed,
    nothing,
    stream_again,
    ticks_at_once,
    timed_out,
)
from tools.faults.stack import FUNCTIONS, Stage

SERVICES = {"dynamodb": "DynamoDB", "sns": "SNS", "sqs": "SQS", "secretsmanager": "Secrets Manager", "kms": "KMS"}


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


_FIRST = frozenset({0})
RECEIVER_ROWS = (
    *(
        Row("Receiver", f"its connection {mode}", _door(mode), hits=_broken, enough=DOWN_AFTER_FAILURES, behind=_FIRST)
        for mode in Mode
        if mode is not Mode.OPEN
    ),
    *(
        Row(
            "Receiver",
            f"answers HTTP {status}",
            _answers(status),
            hits=_refused,
            enough=DOWN_AFTER_FAILURES,
            behind=_FIRST,
        )
        for status in (400, 404, 429, 500, 503)
    ),
    Row(
        "Receiver",
        "answers HTTP 410 and is disabled, then enabled again",
        _answers(410),
        hits=_refused,
        behind=_FIRST,
    ),
)


_LATE = _weather({"service": "dynamodb", "latency": 700})


PROCESS_ROWS = (
    Row("Process", "the stream delivers its records again, in batches and one by one", nothing, stream_again),
    Row("Process", "SQS delivers every message again, twice, and later ones early", nothing, deliver_again),
    Row("Process", "three ticks of Poll and two of Retry at once", nothing, ticks_at_once),
    *(
        Row("Process", f"{name} is killed at work (as out of memory)", _LATE, killed(name), _made)
        for name in ("Poll", "Dispatch", "Deliver")
    ),
    *(
        Row("Process", f"{name} runs out of time at work", _LATE, timed_out(name), _made)
        for name in ("Poll", "Dispatch", "Deliver")
    ),
    Row("Process", "the provider's clock is an hour ahead of ours", clock_ahead(3600)),
    Row("Process", "the provider's clock is two days ahead of ours", clock_ahead(2 * 86_400)),
)

ROWS = (*AWS_ROWS, *PARTIAL_ROWS, *PROVIDER_ROWS, *RECEIVER_ROWS, *PROCESS_ROWS)
