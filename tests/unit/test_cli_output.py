"""What is printed: aligned on a terminal, tabs in a pipe, JSON that carries no command to a terminal."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from examhook_cli import output

ROWS = [("evt_1", "陈美", "yes"), ("evt_22", "Mei Chen", "")]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a narrow terminal without colour is sent."""
    screen = io.StringIO()
    narrow = Console(file=screen, force_terminal=True, color_system=None, width=20, soft_wrap=True)
    monkeypatch.setattr(output, "console", lambda: narrow)
    return screen


def test_a_table_on_a_terminal_is_aligned_by_what_the_eye_sees_and_never_cut(terminal: io.StringIO) -> None:
    output.print_table(("id", "candidate", "passed"), ROWS, empty="none")
    assert terminal.getvalue() == (
        "id      candidate  passed\n"
        "evt_1   陈美       yes\n"
        "evt_22  Mei Chen\n"
    )  # fmt: skip


def test_facts_on_a_terminal_stand_below_each_other(terminal: io.StringIO) -> None:
    output.print_facts({"id": "1", "last error": "x\ty", "empty": ""})
    assert terminal.getvalue() == "id          1\nlast error  x\\ty\n"


def test_a_table_in_a_pipe_is_lines_with_tabs_that_no_cell_can_forge(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(("id", "name"), [("1", "a\tb\nc")], empty="none")
    assert capsys.readouterr().out == "ID\tNAME\n1\ta\\tb\\nc\n"


def test_a_name_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("[red]Mei[/red] :smile:")
    assert capsys.readouterr().out == "[red]Mei[/red] :smile:\n"


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5))
def test_json_says_what_it_was_given_on_one_line_that_is_harmless(document: object) -> None:
    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", written)
        output.print_json(document)
    text = written.getvalue().removesuffix("\n")
    assert json.loads(text) == document
    assert output.printable(text) == text
    text.encode()


def test_times_are_rfc_3339_in_utc() -> None:
    assert (output.time_text(1_777_817_000), output.time_text(None)) == ("2026-05-03T14:03:20Z", "")
