"""The rows of the fault matrix about AWS, receivers and processes, and the whole matrix."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence

from examhook.delivery.endpoint import DOWN_AFTER_FAILURES
from tools.faults.aws_faults import Rule
from tools.faults.function_processes import kill_function
from tools.faults.matrix import Row
from tools.faults.provider_rows import PROVIDER_ROWS
from tools.faults.receiver_proxy import Mode
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
from tools.faults.stack import FUNCTIONS, FaultStack

SERVICES = {"dynamodb": "DynamoDB", "sns": "SNS", "sqs": "SQS", "secretsmanager": "Secrets Manager", "kms": "KMS"}


def _aws_faults(rule: Rule) -> Act:
    """Switch a fault on. The functions are killed first, because running processes cache the code and secrets."""

    def begin(stack: FaultStack) -> None:
        for function in FUNCTIONS:
            kill_function(stack.emulator_pid(), stack.function_name(function), signal.SIGKILL)
        stack.aws_faults.set([rule])

    return begin


def _aws(fault: str, rule: Rule, services: Sequence[str] = tuple(SERVICES)) -> Iterator[Row]:
    for service in services:
        yield Row("AWS", f"{SERVICES[service]}: {fault}", _aws_faults({"service": service, **rule}), hits=_made)


def _made(stack: FaultStack) -> int:
    return stack.aws_faults.count()


_ALTERNATE = {"sequence": {"fail": 1, "pass": 1}, "times": 30}
_ON_THE_WAY = ("dynamodb", "sns", "sqs")
AWS_ROWS = (
    *_aws("throttled, every other call", {**_ALTERNATE, "error": {"code": "ThrottlingException"}}),
    *_aws("internal error, every other call", {**_ALTERNATE, "error": {"code": "InternalServerError", "status": 500}}),
    *_aws("down (the next 25 calls fail)", {"times": 25, "error": {"code": "ServiceUnavailable", "status": 503}}),
    *_aws("two seconds late", {"times": 15, "latency": 2000}),
    *_aws("connection reset before the call, every other call", {**_ALTERNATE, "reset": True}),
    *_aws("call succeeds, answer lost, every other call", {**_ALTERNATE, "response": {"abort_bytes": 1}}, _ON_THE_WAY),
    *_aws(
        "call succeeds, answer garbled, every other call",
        {**_ALTERNATE, "response": {"truncate_frac": 0.5}},
        ("sns", "sqs"),
    ),
    *_aws(
        "signature expired, every other call",
        {**_ALTERNATE, "error": {"code": "InvalidSignatureException", "status": 400}},
        _ON_THE_WAY,
    ),
)

_SOME_FAILED = {"response": {"set_headers": {"x-some-failed": "1"}}}
PARTIAL_ROWS = tuple(
    row
    for service, operation in (("sns", "PublishBatch"), ("sqs", "SendMessageBatch"))
    for row in _aws(
        "every other entry of a batch fails", {"operation": operation, "times": 5, **_SOME_FAILED}, [service]
    )
)


def _connection(mode: Mode) -> Act:
    def begin(stack: FaultStack) -> None:
        stack.proxies[0].mode = mode

    return begin


def _broken(stack: FaultStack) -> int:
    return stack.proxies[0].broken


def _answers(status: int) -> Act:
    return lambda stack: stack.listeners[0].answer_with(status)


def _refused(stack: FaultStack) -> int:
    return stack.refused(0)


def _receiver(fault: str, begin: Act, hits: Callable[[FaultStack], int], enough: int = DOWN_AFTER_FAILURES) -> Row:
    """Return a row in which the first webhook gets nothing."""
    return Row("Receiver", fault, begin, hits=hits, enough=enough, cut_off=frozenset({0}))


RECEIVER_ROWS = (
    *(_receiver(f"its connection {mode}", _connection(mode), _broken) for mode in Mode if mode is not Mode.OPEN),
    *(_receiver(f"answers HTTP {status}", _answers(status), _refused) for status in (400, 404, 429, 500, 503)),
    _receiver("answers HTTP 410, is disabled, and is enabled again", _answers(410), _refused, enough=1),
)


_LATE = _aws_faults({"service": "dynamodb", "latency": 700})


PROCESS_ROWS = (
    Row("Process", "the stream repeats its records, in batches and one by one", nothing, stream_again),
    Row("Process", "SQS repeats every message twice and delivers later attempts early", nothing, deliver_again),
    Row("Process", "three ticks of Poll and two of Retry at the same time", nothing, ticks_at_once),
    *(
        Row("Process", f"{name} is killed at work, as if out of memory", _LATE, killed(name), _made)
        for name in ("Poll", "Dispatch", "Deliver")
    ),
    *(
        Row("Process", f"{name} times out at work", _LATE, timed_out(name), _made)
        for name in ("Poll", "Dispatch", "Deliver")
    ),
    Row("Process", "the provider's clock is one hour ahead", clock_ahead(3600)),
    Row("Process", "the provider's clock is two days ahead", clock_ahead(2 * 86_400)),
)

ROWS = (*AWS_ROWS, *PARTIAL_ROWS, *PROVIDER_ROWS, *RECEIVER_ROWS, *PROCESS_ROWS)
