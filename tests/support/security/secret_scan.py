"""Finds everything that an error could show, for tests of secrecy."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType


def everything_about(error: BaseException) -> Iterator[str]:
    """All texts that printing ``error`` in any way could show."""
    seen: set[int] = set()
    to_see: list[BaseException | None] = [error]
    while to_see:
        link = to_see.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield str(link)
        yield repr(link)
        yield repr(link.args)
        yield repr(vars(link))
        yield from _locals_of(link.__traceback__)
        to_see += [link.__cause__, link.__context__]


def _locals_of(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        frame = traceback.tb_frame
        if "/examhook/" in frame.f_code.co_filename or "site-packages" in frame.f_code.co_filename:
            yield from (repr(value) for value in frame.f_locals.values())
        traceback = traceback.tb_next
