"""The rows of the fault matrix: what is broken, how it is switched on, and what else happens meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from examhook.delivery.health import DOWN_AFTER_FAILURES
from examhook_cli.simulator.facts import RowOrder
from faults.acts import Act, clock_ahead, deliver_again, killed, nothing, stream_again, ticks_at_once, timed_out
from faults.door import Mode
from faults.processes import kill_function
from faults.stage import FUNCTIONS, Stage
from faults.weather import Rule

SERVICES = {"dynamodb": "DynamoDB", "sns": "SNS", "sqs": "SQS", "secretsmanager": "Secrets Manager", "kms": "KMS"}


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
    enough: int = 1
    """So often the fault has to be met before the row goes on."""
    behind: frozenset[int] = frozenset()
    """Receivers that the fault keeps from getting anything; while it lasts, the others are waited for, not these."""


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
