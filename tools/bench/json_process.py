"""A program in a process of its own that is asked by lines of JSON and answers by lines of JSON.

::

    ChildError    the program ended or answered something else; its own output on stderr says why
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from examhook_simulator.wire import Fields

PROJECT = Path(__file__).resolve().parents[2]

_STOP_S = 20


class ChildError(RuntimeError):
    """The program did not answer."""


class Child:
    """A running program; a ``with`` block ends it."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], python: str = sys.executable) -> None:
        self._name = argv[0]
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            [python, "-m", *argv],
            cwd=PROJECT,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
            | {"PYTHONPATH": os.pathsep.join(str(PROJECT / part) for part in ("", "src"))}
            | dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """The program itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()

    @property
    def pid(self) -> int:
        """Its process's id."""
        return self._process.pid

    def ask(self, **given: object) -> Fields:
        """Send a line and wait for the answer; raises ChildError."""
        self.tell(**given)
        return self.answer()

    def tell(self, **given: object) -> None:
        """Send a line."""
        if self._process.stdin is None:
            raise ChildError(f"{self._name} listens no more")
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Fields:
        """Wait for a line; raises ChildError."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise ChildError(f"{self._name} ended with {self._process.wait(_STOP_S)}")
        return Fields.parse(line.encode())

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self.stop()

    def stop(self) -> None:
        """End it, by closing its input."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(act: Callable[[Fields], Mapping[str, object]]) -> None:
    """Answer each line of the input by what ``act`` makes of it, until the input ends."""
    for line in sys.stdin:
        answer(act(Fields.parse(line.encode())))


def answer(fields: Mapping[str, object]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
