"""docs/faults.md: the matrix as it was run."""

from __future__ import annotations

from collections.abc import Sequence

from tools.faults.results import Result

_HEAD = """# Faults

Written by `make faults` (`.venv/bin/python -m tools.faults`): the template, deployed into the local emulator with each
function's own rights enforced. AWS's faults are made by microburst, a proxy that knows AWS's protocols, between the
functions and the emulator; the provider's by the simulator; those of receivers by a door in front of one of two.

Each row creates an exam. Six candidates start it, and where pages matter thirty more submit before the fault begins.
Then five of the six end in the four ways there are, one of them is marked later, and the poll, the dispatch and the
deliveries meet the fault. The fault ends, and what waits is sent. The simulator's ledger of what happened is compared
with what two webhooks and a queue on the topic received: **lost** is what one of them never received, **invented** is
an event without a cause, an event about one of 80 old results, or other facts under a known id, **repeated** is what
came again under the same id with the same facts, which a receiver drops. What would only have to be waited for (the
next attempt in five minutes, the next redrive in fifteen) is done by command, as an operator may; and the delivery
queue hides a message in work for one minute instead of six, which is the least that AWS allows for a function that may
take a minute. An exam whose row is over leaves the provider's list, so that rows do not become longer and longer.
**Met** is how often the fault was made, empty where it is an act that happens for certain; a fault that nothing met is
no success.
"""


def page(results: Sequence[Result], rows: int) -> str:
    """The page, of so many ``rows`` as there are."""
    good = sum(result.good for result in results)
    took_min = sum(result.took_s for result in results) / 60
    counted = (
        f"{good} of {len(results)} rows as wanted: met, nothing lost, nothing invented. They took {took_min:.0f} min."
    )
    if len(results) < rows:
        counted += f" {rows - len(results)} more were not run; `make faults` goes on with them."
    parts = [part for group in dict.fromkeys(one.group for one in results) for part in _group(group, results)]
    return "\n".join([_HEAD, counted, *parts, ""])


def _group(group: str, results: Sequence[Result]) -> list[str]:
    lines = [
        f"| {one.fault} | {'' if one.made is None else one.made} | {one.lost} | {one.invented} | {one.repeated} |"
        for one in results
        if one.group == group
    ]
    return ["", f"## {group}", "", "| fault | met | lost | invented | repeated |", "|---|---|---|---|---|", *lines]
