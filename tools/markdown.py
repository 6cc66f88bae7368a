"""Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a header."""
    header, *body = (f"| {' | '.join(row)} |" for row in (head, *rows))
    return "\n".join([header, "|---" * len(head) + "|", *body])
