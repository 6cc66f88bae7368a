"""docs/benchmarks.md: one section for each part of the benchmarks, each written by a run of that part alone or of all.

A section stands between two comments that name its part, so that a run of one part leaves the text
of the others as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_HEAD = """# Benchmarks

What the product costs and how fast it is, measured by `make bench` beside other ways to do the work. Each section says
when and on what it was written; `python -m tools.bench --only detection` (or `delivery`, `arrival`) writes only that
one.
"""


def composed(before: str, sections: Mapping[str, str], order: tuple[str, ...]) -> str:
    """The whole page: ``sections`` by the name of their part, and those of ``before`` that were not written anew.

    Parts stand in ``order``; one that was never measured is left out.
    """
    kept = {name: found for name in order if (found := _section(before, name)) is not None}
    texts = {**kept, **{name: text.strip() for name, text in sections.items()}}
    parts = [f"<!-- begin: {name} -->\n{texts[name]}\n<!-- end: {name} -->\n" for name in order if name in texts]
    return "\n".join([_HEAD, *parts])


def _section(page: str, name: str) -> str | None:
    found = re.search(rf"<!-- begin: {name} -->\n(.*?)\n<!-- end: {name} -->", page, re.DOTALL)
    return found[1] if found else None
