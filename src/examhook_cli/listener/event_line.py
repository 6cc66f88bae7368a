"""One received event as one line that a person reads: when, what, who, which exam, how it ended."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from examhook_cli.listener.server import Received
from examhook_cli.output import clock_text, printable_json

_CONTROL = re.compile(r"[\x00-\x1f]")


def line_of(received: Received) -> str:
    """``14:02:11  verified  submission.submitted  Mei Chen (4711)  Anatomy II  submitted  87 points``."""
    mark = "verified" if received.verified else "NOT VERIFIED"
    answered = "" if received.answered == HTTPStatus.NO_CONTENT else f"answered {received.answered}"
    parts = [clock_text(received.at), mark, *_facts(_object(received.body)), answered]
    return "  ".join(part for part in parts if part)


def json_of(received: Received) -> str:
    """The body on one line, the same JSON: control characters stand between its parts only."""
    return printable_json(_CONTROL.sub(" ", received.body.decode("utf-8", "replace")))


def _facts(event: Mapping[str, object]) -> list[str]:
    data = _inner(event, "data")
    candidate, exam, submission = (_inner(data, part) for part in ("candidate", "exam", "submission"))
    score = submission.get("score")
    return [
        _text(event.get("type")) or "(no type)",
        _named(candidate, "name"),
        _named(exam, "title"),
        _text(submission.get("status")),
        "" if score is None else f"{_text(score)} points",
    ]


def _named(thing: Mapping[str, object], label: str) -> str:
    name, identity = _text(thing.get(label)), _text(thing.get("id"))
    return f"{name} ({identity})" if name and identity else name or identity


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _inner(outer: Mapping[str, object], name: str) -> Mapping[str, object]:
    inner = outer.get(name)
    return inner if isinstance(inner, dict) else {}


def _object(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
