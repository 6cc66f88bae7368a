"""docs/faults.md: the matrix as it was run."""

from __future__ import annotations

from collections.abc import Sequence

from faults.matrix import Outcome

_HEAD = """# Faults

Written by `make faults` (`.venv/bin/python -m faults`): the template, deployed into the local emulator with each
function's own rights enforced. AWS's faults are made by microburst, a proxy that knows AWS's protocols, between the
functions and the emulator; the provider's by the simulator; those of receivers by a door in front of one of two.

In each row, six candidates are at an exam when the fault begins; five of them end in the four ways there are, one of
them is marked later, and the poll, the dispatch and the deliveries meet the fault. Then it ends, and what waits is
sent. What happened, by the simulator's ledger, is held against what two webhooks and a queue on the topic got:
**lost** is what was never told to one of them, **invented** what never happened or came with other facts under the
same id, **repeated** what came again under the same id with the same facts, which a receiver drops. What would only
have to be waited for (the next attempt in five minutes, the next redrive in fifteen) is done by command, as an
operator may.
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """The page."""
    good = sum(outcome.good for outcome in outcomes)
    head = [_HEAD, f"{good} of {len(outcomes)} rows as wanted: met, nothing lost, nothing invented."]
    parts = [part for group in dict.fromkeys(one.row.group for one in outcomes) for part in _group(group, outcomes)]
    return "\n".join([*head, *parts, ""])


def _group(group: str, outcomes: Sequence[Outcome]) -> list[str]:
    rows = [
        f"| {one.row.fault} | {'' if one.made is None else one.made} | {one.lost} | {one.invented} | {one.repeated} |"
        for one in outcomes
        if one.row.group == group
    ]
    return ["", f"## {group}", "", "| fault | met | lost | invented | repeated |", "|---|---|---|---|---|", *rows]
