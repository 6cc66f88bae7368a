"""Check of the words that docstrings, comments, texts and documents use; run by ``make check-language``.

Each pattern in ``avoided_words.txt`` stands beside the words to use instead. Python files are checked in comments and
strings only, other files whole.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORDS = Path(__file__).with_name("avoided_words.txt")
_READ = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
"""Kinds of tokens that hold prose; from Python 3.12 on, the text of f-strings is one of its own."""
CHECKED = ("*.py", "*.md", "*.yaml", "Makefile")


@dataclass(frozen=True, slots=True)
class Avoided:
    """One pattern, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str


def avoided(text: str) -> list[Avoided]:
    """The patterns of a list: one per line, ``pattern | instead``; ``#`` begins a comment."""
    rows = [line.split(" | ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return [Avoided(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), instead) for pattern, instead in rows]


def prose(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Line number and text of everything that a reader reads."""
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), start=1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        # A string of one word is a name, such as that of a stored attribute.
        if token.type in _READ and " " in token.string:
            yield from enumerate(token.string.splitlines(), start=token.start[0])


def findings(path: Path, text: str, words: list[Avoided]) -> Iterator[str]:
    """One line for each avoided word."""
    for number, line in prose(path, text):
        for each in words:
            for match in each.pattern.finditer(line):
                yield f"{path}:{number}: {match[0]!r}: write {each.instead}"


def main() -> int:
    """Print the findings in all tracked files; 1 where there are any."""
    listed = subprocess.run(["git", "ls-files", "-z", *CHECKED], cwd=ROOT, capture_output=True, check=True)  # noqa: S603, S607
    words = avoided(WORDS.read_text())
    count = 0
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = Path(name)
        for finding in findings(path, (ROOT / path).read_text(), words):
            print(finding)  # noqa: T201
            count += 1
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
