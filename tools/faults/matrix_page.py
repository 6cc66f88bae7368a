"""docs/faults.md: the results of the fault matrix."""

from __future__ import annotations

from collections.abc import Sequence

from tools.faults.matrix import Result
from tools.markdown import markdown_table

_HEAD = """# Faults

Written by `make faults` (`.venv/bin/python -m tools.faults`). The template is deployed into the local emulator, which
enforces each function's own role. microburst, a proxy that knows the AWS protocols, makes AWS faults between the
functions and the emulator. The simulator makes the provider's faults. A proxy in front of one of two receivers makes
the receiver's faults.

Each row creates an exam. Six candidates start it; in rows about pages, thirty more submit before the fault begins. Then
five of the six attempts end in the four possible ways, and one of them is rescored later. The poll, the dispatch and
the deliveries encounter the fault. The fault ends, and waiting deliveries are sent.

The simulator's ledger is compared with the events that two webhooks and a queue on the topic received:

- **lost**: an event that one of them never received
- **invented**: an event without a cause, an event about one of 80 old results, or different facts under a known id
- **repeated**: the same facts again under the same id; receivers drop such an event
- **met**: how often the fault occurred; empty for an act that always happens. A row whose fault never occurred fails.

Commands of `examhook` replace long waits (five minutes until the next attempt, fifteen until the next redrive). The
visibility timeout of the delivery queue is one minute instead of six, which is the minimum for a function with a
timeout of one minute. After its row, an exam leaves the provider's list, so later rows do not take longer.
"""


def page(results: Sequence[Result], rows: int) -> str:
    """Return the page; ``rows`` is the number of rows in the matrix."""
    passed = sum(result.passed for result in results)
    took_min = sum(result.took_s for result in results) / 60
    summary = (
        f"{passed} of {len(results)} rows passed: the fault occurred, nothing was lost, nothing was invented. They took"
        f" {took_min:.0f} min."
    )
    if len(results) < rows:
        summary += f" {rows - len(results)} rows were not run; `make faults` continues with them."
    groups = [_group(group, results) for group in dict.fromkeys(result.group for result in results)]
    return "\n".join([_HEAD, summary, *groups, ""])


def _group(group: str, results: Sequence[Result]) -> str:
    rows = [
        (
            result.fault,
            "" if result.made is None else f"{result.made}",
            f"{result.lost}",
            f"{result.invented}",
            f"{result.repeated}",
        )
        for result in results
        if result.group == group
    ]
    return f"\n## {group}\n\n{markdown_table(('fault', 'met', 'lost', 'invented', 'repeated'), rows)}"
