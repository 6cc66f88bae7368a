"""No body of any form uses more memory than Poll's function can spare."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from examhook.provider.api_client import MAX_PAGE_BYTES
from examhook.provider.errors import ProviderMalformed
from examhook.provider.json_text import MAX_VALUES
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.response_envelope import ErrorAnswer
from examhook.provider.v1 import parse_records

MAX_MEMORY_BYTES = 150 * 2**20
"""Poll has 512 MB, of which it and the AWS SDK take about 150."""

ROW = (
    b'{"viewResult": "https://ks.example/viewresult/%s", "score": 30.5, "startTime": %d, "endTime": 1790000100,'
    b' "status": 1, "sid": %d, "name": "%s", "passed": 1, "tid": %d}'
)


@contextmanager
def measured() -> Iterator[Callable[[], int]]:
    """Yields the peak of bytes allocated since."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def full(unit: bytes, head: bytes = b"[", tail: bytes = b"]") -> bytes:
    """A body of the maximum length that repeats one unit."""
    return head + unit * ((MAX_PAGE_BYTES - len(head) - len(tail)) // len(unit)) + tail


def most(unit: bytes, values: int, head: bytes = b"[", tail: bytes = b"]") -> bytes:
    """A body with the maximum number of units that the limit of values allows."""
    return head + (unit * ((MAX_VALUES - 2) // values)).rstrip(b",") + tail


BODIES: dict[str, Callable[[], bytes]] = {
    "empty objects": lambda: full(b"{},"),
    "empty lists": lambda: full(b"[],"),
    "nested lists": lambda: full(b"[", b"", b""),
    "nested objects": lambda: full(b'{"a":', b"", b""),
    "numbers": lambda: full(b"1.5,"),
    "one long integer": lambda: full(b"9", b'[{"sid":', b"}]"),
    "one long fraction": lambda: full(b"9", b'[{"score":0.', b"}]"),
    "one long text": lambda: full(b"x", '[{"name":"😀'.encode(), b'"}]'),
    "one long text of escapes": lambda: full(b"\\ud83d\\ude00", b'[{"name":"', b'"}]'),
    "bytes of no character": lambda: full(b"\xff", b'[{"name":"', b'"}]'),
    "blanks behind a mark": lambda: full(b" ", "\ufeff [{".encode(), '"name":"😀"}] '.encode()),
    "one long error": lambda: full(b"x", b'{"error":"', b'"}'),
    "most empty objects": lambda: most(b"{},", 2),
    "most small objects": lambda: most(b'{"a":1e1},', 2),
    "most keys": lambda: b"{" + b",".join(b'"k%d":1.5' % number for number in range(MAX_VALUES - 2)) + b"}",
    "most numbered rows": lambda: (
        b"{" + b",".join(b'"%d":{"a":1.5}' % number for number in range(MAX_VALUES // 2 - 2)) + b"}"
    ),
}


@pytest.mark.parametrize(
    ("name", "parse"),
    [
        *((name, parse_results) for name in BODIES),
        ("most numbered rows", parse_records),
        ("most small objects", parse_exams),
    ],
)
def test_a_body_costs_a_bounded_amount_of_memory(name: str, parse: Callable[[bytes], object]) -> None:
    body = BODIES[name]()
    assert len(body) <= MAX_PAGE_BYTES
    with measured() as peak:
        with suppress(ProviderMalformed, ErrorAnswer):
            parse(body)
        assert peak() < MAX_MEMORY_BYTES


def test_the_measurement_includes_the_memory_of_values() -> None:
    """A hundred thousand objects of a few hundred bytes."""
    with measured() as peak:
        held = [{"a": [number]} for number in range(100_000)]
        assert peak() > 100_000 * 200
        del held


@pytest.mark.parametrize("text", [b"x" * 60, ("王" * 20).encode(), b"\\u738b" * 20])
def test_the_longest_requested_page_is_read(text: bytes) -> None:
    rows = [
        ROW % (b"t" * 160, 1_790_000_000 + number, 10**9 + number, text, 10**12 + number) for number in range(10_000)
    ]
    body = b"[" + b",".join(rows) + b"]"
    assert len(body) > 10_000 * 400
    page = parse_results(body)
    assert (len(page.rows), page.unreadable, page.unreadable_fields) == (10_000, (), {})
