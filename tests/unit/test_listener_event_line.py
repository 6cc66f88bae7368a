"""One event, one line; other people's text cannot break or forge it."""

from __future__ import annotations

import json

import pytest

from examhook_cli.listener.event_line import event_json, event_line
from examhook_cli.listener.server import Received
from examhook_cli.output import clock_text, printable

EVENT = {
    "type": "submission.submitted",
    "data": {
        "exam": {"id": "7", "title": "Anatomy II"},
        "candidate": {"id": "4711", "name": "陈美"},
        "submission": {"status": "submitted", "score": 87.5},
    },
}


def received(body: object, problem: str | None = None, answered: int = 204) -> Received:
    text = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Received({}, text, problem, 1_700_000_000.0, answered)


def test_a_verified_event_says_what_who_where_and_how() -> None:
    said = "verified  submission.submitted  陈美 (4711)  Anatomy II (7)  submitted  87.5 points"
    assert event_line(received(EVENT)) == f"{clock_text(1_700_000_000)}  {said}"


def test_an_unverified_event_is_marked() -> None:
    assert "  NOT VERIFIED  submission.submitted  " in event_line(received(EVENT, "the signature does not match", 401))


def test_an_answer_other_than_acceptance_is_shown() -> None:
    assert event_line(received(EVENT, answered=500)).endswith("  answered 500")


def test_an_event_without_a_name_or_score_shows_what_there_is() -> None:
    event = {"type": "submission.started", "data": {"candidate": {"id": "4711"}, "submission": {"score": None}}}
    assert event_line(received(event)).endswith("verified  submission.started  4711")


def test_a_score_of_zero_is_a_score() -> None:
    assert event_line(received({"type": "t", "data": {"submission": {"score": 0}}})).endswith("  0 points")


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'"x"', b'{"data":[]}', b'{"data":{"exam":7}}'])
def test_a_body_that_is_no_event_is_still_one_line(body: bytes) -> None:
    assert event_line(received(body)).endswith("verified  (no type)")


def test_the_json_line_is_the_body_as_sent() -> None:
    body = json.dumps(EVENT, ensure_ascii=False).encode()
    assert event_json(received(body)).encode() == body


def test_the_json_line_of_an_indented_body_stays_one_line() -> None:
    assert json.loads(event_json(received(b'{\n"type":\n"x"}'))) == {"type": "x"}
    assert "\n" not in event_json(received(b'{\n"type":\n"x"}'))


@pytest.mark.parametrize("hostile", ["\x7f", "\x9b2J", "\u202e", "\u2028"])
def test_the_json_line_holds_nothing_that_a_terminal_obeys(hostile: str) -> None:
    """Valid JSON may hold these as they are."""
    body = json.dumps({"url": f"https://a.example/{hostile}"}, ensure_ascii=False)
    line = event_json(received(body.encode()))
    assert hostile[0] not in line
    assert json.loads(line) == json.loads(body)


def test_the_json_line_of_what_is_no_json_holds_no_escape_character_either() -> None:
    assert "\x1b" not in event_json(received(b"\x1b[2J\r"))


def test_control_characters_are_written_out() -> None:
    hostile = "a\x1b[2Jb\r\nc\x9bd\u202ee"
    assert printable(hostile) == r"a\x1b[2Jb\r\nc\x9bd\u202ee"


def test_letters_of_any_script_stay_as_they_are() -> None:
    names = "Łukasz 陈美 مريم e\u0301 👩\u200d🎓"
    assert printable(names) == names
