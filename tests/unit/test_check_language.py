"""The check of words finds avoided words in what people read, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_language import WORDS, avoided, findings

RULES = avoided("# a comment\ntick(?:s|ed)? off | complete\numpteen | the number\n")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", '"""Candidates tick off."""\n', ["a.py:1: 'tick off': write complete"]),
        ("a.py", "x = 1  # Umpteen rows\n", ["a.py:1: 'Umpteen': write the number"]),
        ("a.py", '"""First.\n\nHe ticked off.\n"""\n', ["a.py:3: 'ticked off': write complete"]),
        ("a.py", "umpteen = tick_off\n", []),
        ("a.py", 'item["umpteen"] = 1\n', []),
        (
            "a.md",
            "Text.\nUmpteen ticks off.\n",
            ["a.md:2: 'ticks off': write complete", "a.md:2: 'Umpteen': write the number"],
        ),
        ("a.md", "ticker offset\n", []),
    ],
)
def test_a_finding_states_the_place_the_word_and_the_replacement(name: str, text: str, expected: list[str]) -> None:
    assert list(findings(Path(name), text, RULES)) == expected


def test_every_rule_of_the_list_can_be_read_and_says_what_to_write() -> None:
    rules = avoided(WORDS.read_text())
    assert len(rules) > 20
    assert all(rule.instead for rule in rules)
