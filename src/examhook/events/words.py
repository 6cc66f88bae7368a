"""What an event says to a person, in an e-mail or a chat, made from the event's body alone.

So a body that tells less (``events/privacy.py``) makes a message that tells less.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import cast

from examhook.events.body import (
    OperationsBody,
    ResultBody,
    SubmissionBody,
    SubmissionFacts,
)
from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST, EventType, ExamEventType
from examhook.events.exam_words import about_exam
from examhook.events.message import (
    SUBJECT_UNITS,
    Message,
    moment,
    one_line,
    shortened,
    spaced,
    told,
    units_of,
    web_address,
)

_NAME_UNITS = 40
"""So much of a candidate's name stands in a subject, so that the exam's title finds room too."""


@dataclass(frozen=True, slots=True)
class Words:
    """An e-mail."""

    subject: str = field(repr=False)
    """One line of UTF-8 text, at most SUBJECT_UNITS long, as SNS asks (``Publish``, ``Subject``)."""
    text: str = field(repr=False)


_HAPPENED = {
    EventType.STARTED: "{who} started {exam}",
    EventType.SUBMITTED: "{who} submitted {exam}",
    EventType.TIMED_OUT: "{who} ran out of time in {exam}",
    EventType.FORCED: "An administrator handed in {exam} for {who}",
    EventType.SYSTEM_SUBMITTED: "The system handed in {exam} for {who}",
    EventType.RESCORED: "{who} was marked anew in {exam}",
    EventType.REOPENED: "{exam} was opened again for {who}",
    EventType.REMOVED: "{who} was removed from {exam}",
    EventType.UNKNOWN_STATUS: "{exam} shows {status} for {who}, which is not a documented one",
}
_TEST = "This is a test of Examhook. If you can read it, the endpoint works."

_UNTOLD: SubmissionFacts = {
    "status": "",
    "status_code": -1,
    "previous_status": None,
    "score": None,
    "passed": None,
    "started_at": "",
    "ended_at": None,
    "duration_s": None,
    "result": None,
}
"""What stands in for facts that a body was not given."""

_HAPPENED_IN_SUBJECT = _HAPPENED | {EventType.UNKNOWN_STATUS: "{exam} shows {status} for {who}"}


def words_for(event: Event) -> Words:
    """The e-mail about ``event``; raises ValueError for a body that this version did not write."""
    message = message_of(event.body)
    listed = "\n".join(f"{label}: {text}" for label, text in (*message.details, ("Event", message.event_id)))
    return Words(subject=message.subject, text=f"{message.sentence}\n\n{listed}\n{_link(message.result)}")


def message_of(body: bytes) -> Message:
    """What an event's body says; raises ValueError for one that this version did not write."""
    envelope = json.loads(body)
    event_type, event_id, occurred_at = envelope["type"], envelope["id"], envelope["time"]
    if event_type in {each.value for each in EventType}:
        return _about_submission(EventType(event_type), event_id, occurred_at, envelope["data"])
    if event_type in {each.value for each in ExamEventType}:
        return about_exam(ExamEventType(event_type), event_id, occurred_at, envelope["data"])
    data = cast("OperationsBody", envelope["data"])
    # What the event says speaks to programs, which can look at its signature.
    sentence = _TEST if event_type == ENDPOINT_TEST else one_line(data["message"])
    return Message(
        event_id,
        occurred_at,
        subject=shortened(f"Examhook {event_type}: {sentence}", SUBJECT_UNITS),
        sentence=sentence,
        details=told([("Account", data.get("account")), *data.get("details", {}).items()]),
    )


def _about_submission(event_type: EventType, event_id: str, occurred_at: str, body: SubmissionBody) -> Message:
    exam, candidate = body["exam"], body["candidate"]
    facts: SubmissionFacts = {**_UNTOLD, **body["submission"]}
    title, name = (one_line(text or "") for text in (exam.get("title"), candidate.get("name")))
    who = name or f"Candidate {one_line(candidate['id'])}"
    quoted = f"“{title or one_line(exam['id'])}”"
    happened = _HAPPENED[event_type].format(who=who, exam=quoted, status=_status_shown(facts))
    verdict = _verdict(event_type, facts)
    return Message(
        event_id,
        occurred_at,
        subject=_subject(event_type, who, quoted, verdict, _status_shown(facts)),
        sentence=f"{happened} on {moment(occurred_at)}{''.join(f', {each}' for each in verdict)}.",
        details=told(
            [
                ("Exam", f"{title} ({exam['id']})" if title else exam["id"]),
                ("Candidate", f"{name} ({candidate['id']})" if name else candidate["id"]),
                ("Status", _status(facts)),
                ("Score", facts["score"]),
                ("Passed", facts["passed"]),
                ("Started", moment(facts["started_at"])),
                ("Ended", _ended(facts)),
                ("Account", body["account"]),
            ]
        ),
        result=facts["result"],
    )


def _subject(event_type: EventType, who: str, exam: str, verdict: list[str], status: str) -> str:
    """The sentence in short; where it is too long, the exam's title gives way first."""
    pattern, tail = _HAPPENED_IN_SUBJECT[event_type], "".join(f", {each}" for each in verdict)
    who = shortened(who, _NAME_UNITS)
    room = SUBJECT_UNITS - units_of(pattern.format(who=who, exam="“”", status=status) + tail)
    title = shortened(exam[1:-1], max(room, 1))
    subject = pattern.format(who=who, exam=f"“{title}”", status=status) + tail
    return shortened(subject, SUBJECT_UNITS)


def _verdict(event_type: EventType, facts: SubmissionFacts) -> list[str]:
    if event_type in (EventType.STARTED, EventType.REOPENED):
        return []
    score = [] if facts["score"] is None else [f"score {facts['score']}"]
    passed = [] if facts["passed"] is None else ["passed" if facts["passed"] else "not passed"]
    return [*score, *passed]


def _status_shown(facts: SubmissionFacts) -> str:
    return f"status {facts['status_code']}" if facts["status"] else "a status"


def _status(facts: SubmissionFacts) -> str | None:
    if not facts["status"]:
        return None
    now = f"{spaced(facts['status'])} ({facts['status_code']})"
    return now if facts["previous_status"] is None else f"{now}, before: {spaced(facts['previous_status'])}"


def _ended(facts: SubmissionFacts) -> str | None:
    if facts["ended_at"] is None:
        return None
    after = "" if facts["duration_s"] is None else f", after {_duration(facts['duration_s'])}"
    return f"{moment(facts['ended_at'])}{after}"


def _link(result: ResultBody | None) -> str:
    if result is None or result["url"] is None:
        return ""
    until = moment(result["expires_at"])
    return f"\nThe result, until {until} (the link stops working then):\n{web_address(result['url'])}\n"


def _duration(duration_s: int) -> str:
    """``1 h 5 min``, ``30 min``, ``45 s``."""
    hours, minutes = duration_s // 3600, duration_s % 3600 // 60
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts) or f"{duration_s} s"
