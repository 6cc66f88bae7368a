"""What an event says to a person: the subject and the text of an e-mail, made from the event's body alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from unicodedata import category

from examhook.events.body import OperationsBody, SubmissionBody, SubmissionFacts
from examhook.events.build import Event
from examhook.events.catalogue import EventType

SUBJECT_UNITS = 99
"""SNS takes subjects of less than 100 characters; counted in UTF-16 units, so that no way of counting exceeds it."""

_NAME_UNITS = 40
"""So much of a candidate's name stands in a subject, so that the exam's title finds room too."""


@dataclass(frozen=True, slots=True)
class Words:
    """An e-mail."""

    subject: str = field(repr=False)
    """One line of UTF-8 text, at most SUBJECT_UNITS long, as SNS asks (``Publish``, ``Subject``)."""
    text: str = field(repr=False)


_LINE_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_SIGNS = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))

_HAPPENED = {
    EventType.STARTED: "{who} started {exam}",
    EventType.SUBMITTED: "{who} submitted {exam}",
    EventType.TIMED_OUT: "{who} ran out of time in {exam}",
    EventType.FORCED: "An administrator handed in {exam} for {who}",
    EventType.SYSTEM_SUBMITTED: "The system handed in {exam} for {who}",
    EventType.RESCORED: "{who} was marked anew in {exam}",
    EventType.REOPENED: "{exam} was opened again for {who}",
    EventType.REMOVED: "{who} was removed from {exam}",
    EventType.UNKNOWN_STATUS: "{exam} shows status {status_code} for {who}, which is not a documented one",
}
_HAPPENED_IN_SUBJECT = _HAPPENED | {EventType.UNKNOWN_STATUS: "{exam} shows status {status_code} for {who}"}


def words_for(event: Event) -> Words:
    """The e-mail about ``event``; raises ValueError for a body that this version did not write."""
    if event.event_type in {each.value for each in EventType}:
        return _about_submission(EventType(event.event_type), event)
    body = cast("OperationsBody", json.loads(event.body)["data"])
    details = [("Account", body.get("account")), *body.get("details", {}).items(), ("Event", event.event_id)]
    return Words(
        subject=shortened(f"Examhook {event.event_type}: {one_line(body['message'])}", SUBJECT_UNITS),
        text=f"{one_line(body['message'])}\n\n{_listed(details)}\n",
    )


def one_line(text: str) -> str:
    """``text`` without line breaks, control characters and lone surrogates, which SNS refuses in a subject.

    Signs that turn the direction of writing go as well, so that no name can rearrange the sentence around it.
    """
    breaks_line = {char for char in text if category(char) in _LINE_BREAKING}
    plain = "".join(" " if char in breaks_line else char for char in text if char not in _DIRECTION_SIGNS)
    return " ".join(plain.split())


def shortened(text: str, units: int) -> str:
    """``text`` if it has at most ``units`` UTF-16 code units, else its beginning and an ellipsis."""
    if _units(text) <= units:
        return text
    kept = text[: units - 1]
    while _units(kept) > units - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="replace")) // 2


def _about_submission(event_type: EventType, event: Event) -> Words:
    envelope = json.loads(event.body)
    body = cast("SubmissionBody", envelope["data"])
    facts = body["submission"]
    who = one_line(body["candidate"]["name"] or "") or f"Candidate {one_line(body['candidate']['id'])}"
    exam = f"“{one_line(body['exam']['title']) or one_line(body['exam']['id'])}”"
    happened = _HAPPENED[event_type].format(who=who, exam=exam, status_code=facts["status_code"])
    verdict = _verdict(event_type, facts)
    sentence = f"{happened} on {_moment(envelope['time'])}{''.join(f', {each}' for each in verdict)}."
    details = [
        ("Exam", f"{one_line(body['exam']['title'])} ({body['exam']['id']})"),
        ("Candidate", f"{who} ({body['candidate']['id']})"),
        ("Status", _status(facts)),
        ("Score", facts["score"]),
        ("Passed", facts["passed"]),
        ("Started", _moment(facts["started_at"])),
        ("Ended", _ended(facts)),
        ("Account", body["account"]),
        ("Event", event.event_id),
    ]
    return Words(
        subject=_subject(event_type, who, exam, verdict, facts["status_code"]),
        text=f"{sentence}\n\n{_listed(details)}\n{_link(facts)}",
    )


def _subject(event_type: EventType, who: str, exam: str, verdict: list[str], status_code: int) -> str:
    """The sentence in short; where it is too long, the exam's title gives way first."""
    pattern, tail = _HAPPENED_IN_SUBJECT[event_type], "".join(f", {each}" for each in verdict)
    who = shortened(who, _NAME_UNITS)
    room = SUBJECT_UNITS - _units(pattern.format(who=who, exam="“”", status_code=status_code) + tail)
    title = shortened(exam[1:-1], max(room, 1))
    subject = pattern.format(who=who, exam=f"“{title}”", status_code=status_code) + tail
    return shortened(subject, SUBJECT_UNITS)


def _verdict(event_type: EventType, facts: SubmissionFacts) -> list[str]:
    if event_type in (EventType.STARTED, EventType.REOPENED):
        return []
    score = [] if facts["score"] is None else [f"score {facts['score']}"]
    passed = [] if facts["passed"] is None else ["passed" if facts["passed"] else "not passed"]
    return [*score, *passed]


def _status(facts: SubmissionFacts) -> str:
    now = f"{_spaced(facts['status'])} ({facts['status_code']})"
    return now if facts["previous_status"] is None else f"{now}, before: {_spaced(facts['previous_status'])}"


def _ended(facts: SubmissionFacts) -> str | None:
    if facts["ended_at"] is None:
        return None
    after = "" if facts["duration_s"] is None else f", after {_duration(facts['duration_s'])}"
    return f"{_moment(facts['ended_at'])}{after}"


def _link(facts: SubmissionFacts) -> str:
    result = facts["result"]
    if result is None:
        return ""
    return f"\nThe result, until {_moment(result['expires_at'])} (the link stops working then):\n{result['url']}\n"


def _listed(details: Sequence[tuple[str, object]]) -> str:
    said = [(label, "yes" if value is True else "no" if value is False else value) for label, value in details]
    return "\n".join(f"{label}: {one_line(str(value))}" for label, value in said if value is not None)


def _moment(rfc3339: str) -> str:
    """``3 May 2026 at 14:02 UTC``."""
    at = datetime.fromisoformat(rfc3339)
    return f"{at.day} {at:%B %Y} at {at:%H:%M} UTC"


def _duration(duration_s: int) -> str:
    """``1 h 5 min``, ``30 min``, ``45 s``."""
    hours, minutes = duration_s // 3600, duration_s % 3600 // 60
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts) or f"{duration_s} s"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
