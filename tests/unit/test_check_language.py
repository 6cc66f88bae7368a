"""The check of words finds avoided words in what people read, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_language import WORDS, avoided, findings

RULES = avoided("# a comment\nhand(?:s|ed)? in | submit\nso many | the number\n")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", '"""Candidates hand in."""\n', ["a.py:1: 'hand in': write submit"]),
        ("a.py", "x = 1  # So many rows\n", ["a.py:1: 'So many': write the number"]),
        ("a.py", '"""First.\n\nHe handed in.\n"""\n', ["a.py:3: 'handed in': write submit"]),
        ("a.py", "so_many = hand_in\n", []),
        (
            "a.md",
            "Text.\nSo many hands in.\n",
            ["a.md:2: 'hands in': write submit", "a.md:2: 'So many': write the number"],
        ),
        ("a.md", "handy infinite\n", []),
    ],
)
def test_a_finding_names_place_word_and_remedy(name: str, text: str, expected: list[str]) -> None:
    assert list(findings(Path(name), text, RULES)) == expected


def test_every_rule_of_the_list_can_be_read_and_says_what_to_write() -> None:
    rules = avoided(WORDS.read_text())
    assert len(rules) > 20
    assert all(rule.instead for rule in rules)
