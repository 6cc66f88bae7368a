"""A separate process that receives one JSON object per line and answers with one.

::

    JsonProcessError    the process ended without an answer; its output on stderr says why
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from examhook_simulator.json_fields import Fields
from tools.processes import PROJECT

_STOP_S = 20
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


class JsonProcessError(RuntimeError):
    """The process did not answer."""


class JsonProcess:
    """A running Python module. The ``with`` block ends it.

    Args:
        argv: the module's name and its arguments.
        environ: variables in addition to the few that the process inherits.
        python: the interpreter.
    """

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], python: str = sys.executable) -> None:
        self._name = argv[0]
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            [python, "-m", *argv],
            cwd=PROJECT,
            env={
                **{name: os.environ[name] for name in _INHERITED if name in os.environ},
                "PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "src")]),
                **environ,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, **fields: object) -> Fields:
        """Send one object and wait for the answer; raises JsonProcessError."""
        self.send(**fields)
        return self.receive()

    def send(self, **fields: object) -> None:
        """Send one object and return at once; raises JsonProcessError."""
        if self._process.stdin is None:
            raise JsonProcessError(f"{self._name} has no input")
        self._process.stdin.write(json.dumps(fields) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Fields:
        """Wait for one answer; raises JsonProcessError."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise JsonProcessError(f"{self._name} ended with status {self._process.wait(_STOP_S)}")
        return Fields.parse(line.encode())

    def kill(self) -> None:
        """Kill the process, as a crash would."""
        self._process.kill()
        self.stop()

    def stop(self) -> None:
        """Close the input, which ends the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(act: Callable[[Fields], Mapping[str, object]]) -> None:
    """In the process: answer each object with the result of ``act``, until the input ends."""
    for line in sys.stdin:
        answer(act(Fields.parse(line.encode())))


def answer(fields: Mapping[str, object]) -> None:
    """In the process: write one object."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
