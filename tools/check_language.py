"""Finds avoided words in code and documents; run by ``make check-language``.

``avoided_words.txt`` lists patterns with their replacements. Of Python files, only comments and strings are checked.
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
"""Token types with prose; Python 3.12 added one for the text of f-strings."""
CHECKED = ("*.py", "*.md", "*.yaml", "Makefile")


@dataclass(frozen=True, slots=True)
class Avoided:
    """A pattern and its replacement."""

    pattern: re.Pattern[str]
    instead: str


def avoided(text: str) -> list[Avoided]:
    """Parse a list with one ``pattern | replacement`` per line; ``#`` starts a comment."""
    rows = [line.split(" | ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return [Avoided(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), instead) for pattern, instead in rows]


def prose(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of the prose in a file."""
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), start=1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        # A string of one word is a name, such as that of a stored attribute.
        if token.type in _READ and " " in token.string:
            yield from enumerate(token.string.splitlines(), start=token.start[0])


def findings(path: Path, text: str, words: list[Avoided]) -> Iterator[str]:
    """Yield one message per avoided word."""
    for number, line in prose(path, text):
        for each in words:
            for match in each.pattern.finditer(line):
                yield f"{path}:{number}: {match[0]!r}: write {each.instead}"


def main() -> int:
    """Check all tracked files; return 1 if there are findings."""
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
