"""Runs one invocation of a function in a process of its own, and kills it (SIGKILL) before or after one side effect.

A side effect is a request that changes something in AWS, and the request to a receiver. The process
that reads orders has imported everything and forks for each, since a start from nothing takes a second.

An order is one line of JSON: ``function``, ``event``, ``environ``, ``ahead_s`` (of the clock), and
``kill_at`` (from 1; 0 for never) with ``after``. The answer: ``killed``, and ``failed`` where it ended otherwise.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3

from examhook.handlers import deliver, dispatch, retry
from examhook.http.client import HttpClient

CHANGING = frozenset(
    {
        *("DeleteItem", "PutItem", "UpdateItem", "Publish", "PublishBatch", "SendMessage", "SendMessageBatch"),
        *("DeleteMessage", "DeleteMessageBatch", "Encrypt"),
    }
)
HANDLERS: Mapping[str, Callable[[Any, Any], object]] = {
    "deliver": deliver.handler,
    "dispatch": dispatch.handler,
    "retry": retry.handler,
}


class _Reaper:
    """Counts side effects, and ends the process at one of them."""

    def __init__(self, kill_at: int, *, after: bool) -> None:
        self._kill_at, self._after = kill_at, after
        self._begun = self._ended = 0
        self._lock = threading.Lock()

    def before(self, **_: object) -> None:
        with self._lock:
            self._begun += 1
            if not self._after and self._begun == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def after(self, **_: object) -> None:
        with self._lock:
            self._ended += 1
            if self._after and self._ended == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


@cache
def _session() -> boto3.Session:
    """Made before the fork, with the descriptions of the services loaded: reading them takes longest of all."""
    session = boto3.Session()
    for service in ("dynamodb", "kms", "sns", "sqs"):
        session.client(service)
    return session


def _invoke(order: Mapping[str, Any]) -> None:
    os.environ.update(order["environ"])
    real, ahead_s = time.time, order["ahead_s"]
    time.time = lambda: real() + ahead_s
    reaper = _Reaper(order["kill_at"], after=order["after"])
    session = _session()
    for operation in CHANGING:
        session.events.register(f"before-call.*.{operation}", reaper.before)
        session.events.register(f"after-call.*.{operation}", reaper.after)
    boto3.DEFAULT_SESSION = session
    ordinary = HttpClient.send

    def send(self: HttpClient, *args: Any, **named: Any) -> Any:
        reaper.before()
        answer = ordinary(self, *args, **named)
        reaper.after()
        return answer

    HttpClient.send = send  # type: ignore[method-assign] # this process ends in a moment
    HANDLERS[order["function"]](order["event"], None)


def _fork(order: Mapping[str, Any]) -> dict[str, object]:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            # Its log would mix with our answers.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _invoke(order)
            status = 0
        except BaseException:  # noqa: BLE001 - the forked process must not continue as a second test run
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return {"killed": os.WIFSIGNALED(status), "failed": os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0}


class Killer:
    """The process that forks, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def invoke(self, function: str, event: object, environ: Mapping[str, str], **how: object) -> bool:
        """One invocation; whether it was killed. It may not fail in any other way."""
        order = {"function": function, "event": event, "environ": dict(environ), "ahead_s": 0, "kill_at": 0}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**order, "after": False, **how}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert not answer["failed"], f"{function} failed; see stderr"
        return bool(answer["killed"])


@contextmanager
def running_killer(environ: Mapping[str, str]) -> Iterator[Killer]:
    """Until the block ends."""
    with subprocess.Popen(
        [sys.executable, __file__],
        env={**{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    _session()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_fork(json.loads(line))) + "\n")
        sys.stdout.flush()
