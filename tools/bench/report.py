"""docs/benchmarks.md: one section per part of the benchmarks. Each part can be measured and written alone."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.markdown import markdown_table

_HEAD = """# Benchmarks

Costs and speed of Examhook, measured by `make bench` next to other ways to do the same work. Each section names the
machine that it was measured on. `python -m tools.bench --only detection` (or `delivery`, `arrival`) measures one
section.
"""


@dataclass(frozen=True, slots=True)
class Goal:
    """One measure with its target."""

    measure: str
    target: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Text of one part, and the measures that missed their target."""

    text: str
    missed: Sequence[str]


def missed(goals: Sequence[Goal]) -> list[str]:
    """Return the measures that missed their target."""
    return [goal.measure for goal in goals if not goal.met]


def goal_table(goals: Sequence[Goal]) -> str:
    """Return the goals as a Markdown table."""
    rows = [(goal.measure, goal.target, goal.measured, yes_or_no(met=goal.met)) for goal in goals]
    return markdown_table(("measure", "target", "Examhook", "met"), rows)


def yes_or_no(*, met: bool) -> str:
    """Return the cell of the column ``met``."""
    return "yes" if met else "**no**"


def machine() -> str:
    """Describe this machine and its load."""
    load = os.getloadavg()[2]
    return (
        f"{platform.system()} {platform.machine()} with Python {platform.python_version()}"
        f" ({os.cpu_count()} cores, load average {load:.1f} in the last 15 minutes)"
    )


def composed(before: str, sections: Mapping[str, str], order: Sequence[str]) -> str:
    """Replace sections of the page ``before``. Sections, by the name of the part, come in ``order``."""
    kept = {name: found for name in order if (found := _section(before, name)) is not None}
    texts = {**kept, **{name: text.strip() for name, text in sections.items()}}
    parts = [f"<!-- begin: {name} -->\n{texts[name]}\n<!-- end: {name} -->\n" for name in order if name in texts]
    return "\n".join([_HEAD, *parts])


def _section(page: str, name: str) -> str | None:
    found = re.search(rf"<!-- begin: {name} -->\n(.*?)\n<!-- end: {name} -->", page, re.DOTALL)
    return found[1] if found else None
