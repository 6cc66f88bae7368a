"""What an event about an exam says to a person."""

from __future__ import annotations

from typing import cast

from examhook.events.body import AvailabilityBody, VerifiedBody
from examhook.events.catalogue import ExamEventType
from examhook.events.message import SUBJECT_UNITS, Message, moment, one_line, shortened, spaced, told, units_of

_HAPPENED = {
    ExamEventType.OPENED: "{exam} can be taken now",
    ExamEventType.CLOSED: "{exam} cannot be taken any more",
    ExamEventType.VERIFIED: "All results of {exam} were checked",
}


def about_exam(
    event_type: ExamEventType, event_id: str, occurred_at: str, body: AvailabilityBody | VerifiedBody
) -> Message:
    """The message of an event whose ``data`` is ``body``."""
    exam, pattern = body["exam"], _HAPPENED[event_type]
    title = one_line(exam["title"])
    shown = title or one_line(exam["id"])
    room = SUBJECT_UNITS - units_of(pattern.format(exam="“”"))
    return Message(
        event_id,
        occurred_at,
        subject=pattern.format(exam=f"“{shortened(shown, room)}”"),
        sentence=f"{pattern.format(exam=f'“{shown}”')}, as was seen on {moment(occurred_at)}.",
        details=told(
            [
                ("Exam", f"{title} ({exam['id']})" if title else exam["id"]),
                ("Category", exam["category"]),
                ("Address", exam["url"]),
                *(_checked(cast("VerifiedBody", body)) if event_type is ExamEventType.VERIFIED else []),
                ("Account", body["account"]),
            ]
        ),
    )


def _checked(body: VerifiedBody) -> list[tuple[str, object]]:
    found = body["verification"]
    counts = ", ".join(f"{spaced(name)} {count}" for name, count in found["statuses"].items() if count)
    return [("Attempts", f"{found['attempts']}{f' ({counts})' if counts else ''}"), ("Digest", found["digest"])]
