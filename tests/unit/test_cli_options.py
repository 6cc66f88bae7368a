"""Lists, types and times as people type them."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from examhook_cli.options import parse_since, parse_types, split_list

NOW = 1_777_817_000.9


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90s", 1_777_816_910),
        ("2h", 1_777_809_800),
        ("3d", 1_777_557_800),
        ("1w", 1_777_212_200),
        ("2026-05-03", 1_777_766_400),
        ("2026-05-03T14:02:00Z", 1_777_816_920),
        ("2026-05-03T14:02:00", 1_777_816_920),
        ("2026-05-03T16:02:00+02:00", 1_777_816_920),
        ("999999w", 0),
        ("1960-01-01", 0),
        ("0001-01-01T00:00:00+14:00", 0),
    ],
)
def test_a_time_is_a_moment_a_day_or_how_long_ago(text: str, at: int) -> None:
    assert parse_since(text, NOW) == at


@pytest.mark.parametrize("text", ["", "h", "2 h", "-2h", "2y", "soon", "2026-13-01"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_since(text, NOW)


@given(st.text(max_size=30))
def test_no_text_makes_another_error(text: str) -> None:
    try:
        assert parse_since(text, NOW) >= 0
    except typer.BadParameter:
        return


def test_a_list_may_be_repeated_or_have_commas() -> None:
    assert split_list(["a, b", "c", "", "a"]) == ("a", "b", "c")
    assert split_list(None) == ()


def test_a_pattern_that_names_no_type_is_refused_by_name() -> None:
    known = ("submission.forced", "submission.started")
    assert parse_types(["submission.*", "submission.forced"], known, "--types") == (
        "submission.*",
        "submission.forced",
    )
    with pytest.raises(typer.BadParameter, match=r"exam\.\*, submission\.x"):
        parse_types(["exam.*,submission.x,submission.started"], known, "--types")
