"""Records every AWS call of a function's code during the tests, with its resource in the template.

A call belongs to the function whose handler or workflow is running; context variables carry it, also into threads.
Calls of the tests around it belong to no function.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import FrameType, ModuleType
from typing import Any, ParamSpec, TypeVar

from botocore.client import BaseClient

from examhook import handlers
from tests.support.aws.api_calls import API_CALL, api_call
from tests.support.iam.aws_actions import Need, needs_of_call

TESTS = str(Path(__file__).parents[2])
P = ParamSpec("P")
Result = TypeVar("Result")
running: ContextVar[str | None] = ContextVar("running", default=None)


@dataclass(frozen=True)
class Call:
    """One call and the permission that it needs."""

    handler: str
    """Module of the function's handler: ``poll``."""
    service: str
    operation: str
    needs: tuple[Need, ...]


@dataclass
class Recorder:
    """Recorded calls by function; ``begin`` and ``end`` enclose one test."""

    calls: set[Call] = field(default_factory=set)
    of_test: set[Call] = field(default_factory=set)

    def note(self, handler: str, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Record one call."""
        self.of_test.add(Call(handler, service, operation, tuple(needs_of_call(service, operation, params))))

    def begin(self) -> None:
        """Start a test."""
        self.of_test = set()

    def end(self) -> set[Call]:
        """End a test; return its calls."""
        self.calls |= self.of_test
        return self.of_test


def told(service: str, operation: str, **params: Any) -> None:
    """Record a call to a fake AWS client as a call of the function that is running."""
    handler = running.get()
    if handler is not None:
        _RECORDERS[-1].note(handler, service, operation, params)


_RECORDERS: list[Recorder] = []


def install(recorder: Recorder) -> None:
    """Record the calls of each function of ``handlers`` and of each workflow of its ``wiring`` from now on."""
    for found in iter_modules(handlers.__path__):
        entry = import_module(f"{handlers.__name__}.{found.name}")
        if hasattr(entry, "handler"):
            vars(entry)["handler"] = _running(found.name, entry.handler)
            workflows = set(_use_cases(import_module(f"examhook.wiring.{found.name}")))
            assert workflows, f"no function of examhook.wiring.{found.name} states which workflow it returns"
            for workflow in workflows:
                _watch_methods(workflow, found.name)
    _RECORDERS.append(recorder)
    _carry_along()
    made = api_call()

    @functools.wraps(made)
    def noted(client: BaseClient, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        handler = running.get()
        if handler is not None and not _made_by_a_test():
            recorder.note(handler, client.meta.service_model.signing_name, operation, params)
        return made(client, operation, params)

    setattr(BaseClient, API_CALL, noted)


def _use_cases(wiring: ModuleType) -> Iterator[type]:
    """The workflows that a module of ``wiring`` builds, by the declared return types of its functions."""
    for _, build in inspect.getmembers(wiring, inspect.isfunction):
        if build.__module__ == wiring.__name__:
            yield from _workflows_in(build.__annotations__.get("return", ""), wiring)


def _workflows_in(annotation: str, wiring: ModuleType) -> Iterator[type]:
    """The workflows that an annotation names, and those of the fields of a class that ``wiring`` defines."""
    for found in (vars(wiring).get(name) for name in re.findall(r"\w+", annotation)):
        if not isinstance(found, type):
            continue
        if found.__module__.startswith("examhook.workflows."):
            yield found
        elif found.__module__ == wiring.__name__:
            for part in found.__annotations__.values():
                yield from _workflows_in(part, wiring)


def _watch_methods(workflow: type, handler: str) -> None:
    for method, call in inspect.getmembers(workflow, inspect.isfunction):
        if not method.startswith("_"):
            setattr(workflow, method, _running(handler, call))


def _running(handler: str, call: Callable[P, Result]) -> Callable[P, Result]:
    @functools.wraps(call)
    def under_its_name(*args: P.args, **kwargs: P.kwargs) -> Result:
        token = running.set(handler)
        try:
            return call(*args, **kwargs)
        finally:
            running.reset(token)

    return under_its_name


def _carry_along() -> None:
    """Attribute the calls of a pool's threads to the function that submitted the work."""
    submit = ThreadPoolExecutor.submit

    def carrying(
        pool: ThreadPoolExecutor, call: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Result]:
        return submit(pool, functools.partial(copy_context().run, call, *args, **kwargs))

    ThreadPoolExecutor.submit = carrying  # type: ignore[method-assign, assignment] # a pool has no hook for it


def _made_by_a_test() -> bool:
    """Whether test code is between the call and the function: a provider's answer, a rival, a clock."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the stack is what is asked about
    while frame is not None:
        code = frame.f_code
        if code.co_filename == __file__ and code.co_name == "under_its_name":
            return False
        if code.co_filename.startswith(TESTS) and code.co_name not in _HANDING_ON:
            return True
        frame = frame.f_back
    return False


_HANDING_ON = {"send", "dying", "noted"}
"""Functions of the tests that pass on calls of the function."""
