"""Telling less: events without what a receiver need not know, made from an event's body alone.

Only events about submissions hold anything about a person, and the digest in an exam's receipt, from which an id
could be guessed; all others stay as they are. Which type is which is stated for each, so that a type which nobody
thought about is told to nobody who may know less. The same body and key always make the same bytes, so a
repeated attempt sends what the first one sent.

::

    UnstatedTypeError    nothing says what an event of this type tells about a person; nothing is sent
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from enum import Enum, auto
from typing import cast

from examhook.events.body import SubmissionBody, ThinBody, VerifiedBody
from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST, EventType, ExamEventType, OperationsEventType
from examhook.events.envelope import compact, path_of


class About(Enum):
    """Whom an event tells of."""

    CANDIDATE = auto()
    """Its ``data`` is a SubmissionBody."""
    EVERY_CANDIDATE = auto()
    """Its ``data`` is a VerifiedBody: it names nobody, and its digest could be tried with every id."""
    NOBODY = auto()


ABOUT: Mapping[str, About] = {
    EventType.STARTED: About.CANDIDATE,
    EventType.SUBMITTED: About.CANDIDATE,
    EventType.TIMED_OUT: About.CANDIDATE,
    EventType.FORCED: About.CANDIDATE,
    EventType.SYSTEM_SUBMITTED: About.CANDIDATE,
    EventType.RESCORED: About.CANDIDATE,
    EventType.REOPENED: About.CANDIDATE,
    EventType.REMOVED: About.CANDIDATE,
    EventType.UNKNOWN_STATUS: About.CANDIDATE,
    ExamEventType.OPENED: About.NOBODY,
    ExamEventType.CLOSED: About.NOBODY,
    ExamEventType.VERIFIED: About.EVERY_CANDIDATE,
    OperationsEventType.PROVIDER_REFUSED: About.NOBODY,
    OperationsEventType.ENDPOINT_FAILING: About.NOBODY,
    OperationsEventType.ENDPOINT_DISABLED: About.NOBODY,
    OperationsEventType.ENDPOINT_RECOVERED: About.NOBODY,
    ENDPOINT_TEST: About.NOBODY,
}
"""What each type tells of a person; a new one is written in here by whoever makes it, after a look at its body."""


class UnstatedTypeError(ValueError):
    """An event's type is not among those of which it is stated what they tell of a person."""


def is_about_a_candidate(event: Event) -> bool:
    """Whether ``event`` tells of a person; raises UnstatedTypeError."""
    try:
        return ABOUT[event.event_type] is About.CANDIDATE
    except KeyError:
        raise UnstatedTypeError(
            f"nothing states what events of the type {event.event_type} tell of a person (events/privacy.py)"
        ) from None


def pseudonymous_body(event: Event, key: str) -> bytes:
    """``event`` without name and result link, and with pseudonyms in place of all that derives from the candidate's id.

    That is the candidate's id, the subject, and the event's own ids: they are digests of facts that
    can be guessed, so whoever knows how they are made could try every candidate. A pseudonym is the
    same in every event that is made with ``key``, and means nothing without it. Raises UnstatedTypeError.
    """
    if not is_about_a_candidate(event):
        return _receipt_body(event, key) if ABOUT[event.event_type] is About.EVERY_CANDIDATE else event.body
    envelope = json.loads(event.body)
    data = cast("SubmissionBody", envelope["data"])
    candidate_id = f"anon_{_keyed(key, 'candidate', data['account'], data['candidate']['id'])}"
    envelope["id"] = _event_id(key, envelope["id"])
    if "previousid" in envelope:
        envelope["previousid"] = _event_id(key, envelope["previousid"])
    _, _, rest = envelope["subject"].partition("/attempts/")
    envelope["subject"] = path_of("candidates", candidate_id, "attempts", rest)
    told: SubmissionBody = {
        **data,
        "candidate": {"id": candidate_id, "name": None},
        "submission": {**data["submission"], "result": None},
    }
    envelope["data"] = told
    return compact(envelope)


def thin_body(event: Event) -> bytes:
    """``event`` with ids and times only: whom and what it is about, for receivers that look the rest up themselves.

    Raises UnstatedTypeError.
    """
    if not is_about_a_candidate(event):
        return event.body
    envelope = json.loads(event.body)
    data = cast("SubmissionBody", envelope["data"])
    told: ThinBody = {
        "account": data["account"],
        "exam": {"id": data["exam"]["id"]},
        "candidate": {"id": data["candidate"]["id"]},
        "submission": {"started_at": data["submission"]["started_at"]},
        "observed_at": data["observed_at"],
    }
    return compact({**envelope, "data": told})


def _receipt_body(event: Event, key: str) -> bytes:
    """A receipt whose digest only tells whether anything changed."""
    envelope = json.loads(event.body)
    data = cast("VerifiedBody", envelope["data"])
    digest = _keyed(key, "digest", data["verification"]["digest"])[:16]
    told: VerifiedBody = {**data, "verification": {**data["verification"], "digest": digest}}
    return compact({**envelope, "data": told})


def _event_id(key: str, event_id: str) -> str:
    return f"evt_{_keyed(key, 'event', event_id)}"


def _keyed(key: str, *facts: str) -> str:
    """The first 128 bits (hex) of an HMAC-SHA256 of the facts as a JSON array, which no fact can forge."""
    return hmac.new(key.encode(), json.dumps(facts).encode(), hashlib.sha256).hexdigest()[:32]
