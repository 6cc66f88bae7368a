"""Formats a received event as one line: time, type, candidate, exam and result."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from examhook_cli.listener.server import Received
from examhook_cli.output import clock_text, printable_json

_CONTROL = re.compile(r"[\x00-\x1f]")


def event_line(received: Received) -> str:
    """``14:02:11  verified  submission.submitted  Mei Chen (4711)  Anatomy II  submitted  87 points``."""
    signature = "verified" if received.verified else "NOT VERIFIED"
    response = "" if received.answered == HTTPStatus.NO_CONTENT else f"answered {received.answered}"
    parts = [clock_text(received.at), signature, *_facts(_object(received.body)), response]
    return "  ".join(part for part in parts if part)


def event_json(received: Received) -> str:
    """The JSON body on one line; JSON allows control characters only between its tokens."""
    return printable_json(_CONTROL.sub(" ", received.body.decode("utf-8", "replace")))


def _facts(event: Mapping[str, object]) -> list[str]:
    data = _inner(event, "data")
    candidate, exam, submission = (_inner(data, part) for part in ("candidate", "exam", "submission"))
    score = submission.get("score")
    return [
        _text(event.get("type")) or "(no type)",
        _name_and_id(candidate, "name"),
        _name_and_id(exam, "title"),
        _text(submission.get("status")),
        "" if score is None else f"{_text(score)} points",
    ]


def _name_and_id(part: Mapping[str, object], label: str) -> str:
    name, part_id = _text(part.get(label)), _text(part.get("id"))
    return f"{name} ({part_id})" if name and part_id else name or part_id


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _inner(outer: Mapping[str, object], name: str) -> Mapping[str, object]:
    inner = outer.get(name)
    return inner if isinstance(inner, dict) else {}


def _object(body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
