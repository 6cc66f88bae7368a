"""Output: aligned in a terminal, tab-separated in a pipe, and JSON without control characters."""

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
    """Output of a narrow terminal without colors."""
    screen = io.StringIO()
    narrow = Console(file=screen, force_terminal=True, color_system=None, width=20, soft_wrap=True)
    monkeypatch.setattr(output, "console", lambda: narrow)
    return screen


def test_a_table_in_a_terminal_is_aligned_by_display_width_and_never_cut(terminal: io.StringIO) -> None:
    output.print_table(("id", "candidate", "passed"), ROWS, empty="none")
    assert terminal.getvalue() == (
        "id      candidate  passed\n"
        "evt_1   陈美       yes\n"
        "evt_22  Mei Chen\n"
    )  # fmt: skip


def test_facts_in_a_terminal_are_one_per_line(terminal: io.StringIO) -> None:
    output.print_facts({"id": "1", "last error": "x\ty", "empty": ""})
    assert terminal.getvalue() == "id          1\nlast error  x\\ty\n"


def test_no_cell_can_forge_a_tab_or_line_of_a_table_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(("id", "name"), [("1", "a\tb\nc")], empty="none")
    assert capsys.readouterr().out == "ID\tNAME\n1\ta\\tb\\nc\n"


def test_a_name_is_not_interpreted_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("[red]Mei[/red] :smile:")
    assert capsys.readouterr().out == "[red]Mei[/red] :smile:\n"


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5))
def test_json_keeps_the_value_on_one_line_without_control_characters(document: object) -> None:
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
