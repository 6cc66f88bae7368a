"""Texts for people: the e-mail and the chat message about an event.

They are made from the event's body alone, so a privacy profile that removes facts from the body (``privacy.py``)
removes them from the text as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from examhook.events.body import (
    AvailabilityBody,
    OperationsBody,
    ResultBody,
    SubmissionBody,
    SubmissionFacts,
    VerifiedBody,
)
from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST, EventType, ExamEventType
from examhook.events.text import (
    SUBJECT_UNITS,
    one_line,
    readable_duration,
    readable_time,
    shortened,
    units_of,
    web_address,
)

_NAME_UNITS = 40
"""Maximum length of a candidate's name in a subject; leaves space for the exam's title."""


@dataclass(frozen=True, slots=True)
class Message:
    """Texts for one event, before layout. Each is plain text on one line, of any length."""

    event_id: str
    occurred_at: str
    """RFC 3339 in UTC."""
    subject: str = field(repr=False)
    """Short form of the sentence, at most SUBJECT_UNITS long."""
    sentence: str = field(repr=False)
    details: tuple[tuple[str, str], ...] = field(repr=False)
    """Label and text of each known fact."""
    result: ResultBody | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail, as SNS takes it."""

    subject: str = field(repr=False)
    text: str = field(repr=False)


_SUBMISSION_SENTENCES = {
    EventType.STARTED: "{who} started {exam}",
    EventType.SUBMITTED: "{who} submitted {exam}",
    EventType.TIMED_OUT: "{who} ran out of time in {exam}",
    EventType.FORCED: "An administrator force-submitted {exam} for {who}",
    EventType.SYSTEM_SUBMITTED: "The system submitted {exam} for {who}",
    EventType.RESCORED: "{exam} was rescored for {who}",
    EventType.REOPENED: "{exam} was reopened for {who}",
    EventType.REMOVED: "The result of {who} in {exam} was deleted",
    EventType.UNKNOWN_STATUS: "{who} has {status} in {exam}",
}
_EXAM_SENTENCES = {
    ExamEventType.OPENED: "{exam} is open to candidates",
    ExamEventType.CLOSED: "{exam} is closed to candidates",
    ExamEventType.VERIFIED: "All results of {exam} are checked",
}
_TEST_SENTENCE = "This is a test of Examhook. If you can read it, the endpoint works."

_WITHHELD_FACTS: SubmissionFacts = {
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
"""Defaults for the facts that the profile ``thin`` removes."""


def email_for(event: Event) -> Email:
    """Return the e-mail about ``event``; raises ValueError for a body that this version did not write."""
    message = message_of(event.body)
    details = "\n".join(f"{label}: {text}" for label, text in (*message.details, ("Event", message.event_id)))
    return Email(subject=message.subject, text=f"{message.sentence}\n\n{details}\n{_link(message.result)}")


def _link(result: ResultBody | None) -> str:
    if result is None or result["url"] is None:
        return ""
    return f"\nResult (the link works until {readable_time(result['expires_at'])}):\n{web_address(result['url'])}\n"


def message_of(body: bytes) -> Message:
    """Return the texts for an event's body; raises ValueError for one that this version did not write."""
    envelope = json.loads(body)
    event_type, event_id, occurred_at = envelope["type"], envelope["id"], envelope["time"]
    if event_type in {each.value for each in EventType}:
        return _submission_message(EventType(event_type), event_id, occurred_at, envelope["data"])
    if event_type in {each.value for each in ExamEventType}:
        return _exam_message(ExamEventType(event_type), event_id, occurred_at, envelope["data"])
    data = cast("OperationsBody", envelope["data"])
    # The message in a test event asks the reader to check the signature, which a person cannot do.
    sentence = _TEST_SENTENCE if event_type == ENDPOINT_TEST else one_line(data["message"])
    return Message(
        event_id,
        occurred_at,
        subject=shortened(f"Examhook {event_type}: {sentence}", SUBJECT_UNITS),
        sentence=sentence,
        details=_known([("Account", data.get("account")), *data.get("details", {}).items()]),
    )


def _submission_message(event_type: EventType, event_id: str, occurred_at: str, body: SubmissionBody) -> Message:
    exam, candidate = body["exam"], body["candidate"]
    facts: SubmissionFacts = {**_WITHHELD_FACTS, **body["submission"]}
    title, name = (one_line(text or "") for text in (exam.get("title"), candidate.get("name")))
    shown_title = title or one_line(exam["id"])
    who = name or f"Candidate {one_line(candidate['id'])}"
    outcome = "".join(f", {each}" for each in _outcome(event_type, facts))

    def happened(who: str, title: str) -> str:
        status = f"the undocumented status {facts['status_code']}" if facts["status"] else "an undocumented status"
        return _SUBMISSION_SENTENCES[event_type].format(who=who, exam=f"“{title}”", status=status)

    return Message(
        event_id,
        occurred_at,
        subject=_subject(lambda title: happened(shortened(who, _NAME_UNITS), title) + outcome, shown_title),
        sentence=f"{happened(who, shown_title)} on {readable_time(occurred_at)}{outcome}.",
        details=_known(
            [
                ("Exam", f"{title} ({exam['id']})" if title else exam["id"]),
                ("Candidate", f"{name} ({candidate['id']})" if name else candidate["id"]),
                ("Status", _status(facts)),
                ("Score", facts["score"]),
                ("Passed", facts["passed"]),
                ("Started", readable_time(facts["started_at"])),
                ("Ended", _ended(facts)),
                ("Account", body["account"]),
            ]
        ),
        result=facts["result"],
    )


def _exam_message(
    event_type: ExamEventType, event_id: str, occurred_at: str, body: AvailabilityBody | VerifiedBody
) -> Message:
    exam = body["exam"]
    title = one_line(exam["title"])
    shown_title = title or one_line(exam["id"])
    attempts = _attempts(cast("VerifiedBody", body)) if event_type is ExamEventType.VERIFIED else []

    def state(title: str) -> str:
        return _EXAM_SENTENCES[event_type].format(exam=f"“{title}”")

    return Message(
        event_id,
        occurred_at,
        subject=_subject(state, shown_title),
        sentence=f"{state(shown_title)} as of {readable_time(occurred_at)}.",
        details=_known(
            [
                ("Exam", f"{title} ({exam['id']})" if title else exam["id"]),
                ("Category", exam["category"]),
                ("Address", exam["url"]),
                *attempts,
                ("Account", body["account"]),
            ]
        ),
    )


def _subject(sentence: Callable[[str], str], title: str) -> str:
    """Return ``sentence(title)``, cut to SUBJECT_UNITS. The title is shortened first, then the sentence."""
    title_units = SUBJECT_UNITS - units_of(sentence(""))
    return shortened(sentence(shortened(title, max(title_units, 1))), SUBJECT_UNITS)


def _outcome(event_type: EventType, facts: SubmissionFacts) -> list[str]:
    if event_type in (EventType.STARTED, EventType.REOPENED):
        return []
    score = [] if facts["score"] is None else [f"score {facts['score']}"]
    passed = [] if facts["passed"] is None else ["passed" if facts["passed"] else "not passed"]
    return [*score, *passed]


def _status(facts: SubmissionFacts) -> str | None:
    if not facts["status"]:
        return None
    now = f"{_spaced(facts['status'])} ({facts['status_code']})"
    return now if facts["previous_status"] is None else f"{now}, previously {_spaced(facts['previous_status'])}"


def _ended(facts: SubmissionFacts) -> str | None:
    if facts["ended_at"] is None:
        return None
    after = "" if facts["duration_s"] is None else f", after {readable_duration(facts['duration_s'])}"
    return f"{readable_time(facts['ended_at'])}{after}"


def _attempts(body: VerifiedBody) -> list[tuple[str, object]]:
    scan = body["verification"]
    counts = ", ".join(f"{_spaced(name)} {count}" for name, count in scan["statuses"].items() if count)
    return [("Attempts", f"{scan['attempts']}{f' ({counts})' if counts else ''}"), ("Digest", scan["digest"])]


def _known(details: Sequence[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """Return each label with its value as text, without the values that are None."""
    known = [(label, "yes" if value is True else "no" if value is False else value) for label, value in details]
    return tuple((label, one_line(str(value))) for label, value in known if value is not None)


def _spaced(name: str) -> str:
    """Return ``timed out`` for ``timed_out``."""
    return name.replace("_", " ")
