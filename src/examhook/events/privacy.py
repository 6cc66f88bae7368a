"""Privacy profiles: event bodies with less personal data, made from the event's body alone.

Only events about submissions, and the digest in an exam's receipt, say anything about a candidate. Other events stay
unchanged. The same body and key always yield the same bytes, so a retry sends the same bytes as the first attempt.
``PERSONAL_DATA`` classifies every type; events of a type that is not classified are not sent to restricted endpoints.
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
from examhook.events.encoding import compact, path_of


class PersonalData(Enum):
    """Personal data in the ``data`` of an event."""

    CANDIDATE = auto()
    """A SubmissionBody, which describes one candidate."""
    DIGEST = auto()
    """A VerifiedBody. It names nobody, but candidate ids can be tried against its digest."""
    NONE = auto()


PERSONAL_DATA: Mapping[str, PersonalData] = {
    EventType.STARTED: PersonalData.CANDIDATE,
    EventType.SUBMITTED: PersonalData.CANDIDATE,
    EventType.TIMED_OUT: PersonalData.CANDIDATE,
    EventType.FORCED: PersonalData.CANDIDATE,
    EventType.SYSTEM_SUBMITTED: PersonalData.CANDIDATE,
    EventType.RESCORED: PersonalData.CANDIDATE,
    EventType.REOPENED: PersonalData.CANDIDATE,
    EventType.REMOVED: PersonalData.CANDIDATE,
    EventType.UNKNOWN_STATUS: PersonalData.CANDIDATE,
    ExamEventType.OPENED: PersonalData.NONE,
    ExamEventType.CLOSED: PersonalData.NONE,
    ExamEventType.VERIFIED: PersonalData.DIGEST,
    OperationsEventType.PROVIDER_REFUSED: PersonalData.NONE,
    OperationsEventType.ENDPOINT_FAILING: PersonalData.NONE,
    OperationsEventType.ENDPOINT_DISABLED: PersonalData.NONE,
    OperationsEventType.ENDPOINT_RECOVERED: PersonalData.NONE,
    ENDPOINT_TEST: PersonalData.NONE,
}
"""Personal data by event type. Add a new type by hand, after a review of its body."""


class UnclassifiedTypeError(ValueError):
    """PERSONAL_DATA lacks the event's type."""


def is_about_a_candidate(event: Event) -> bool:
    """Return whether ``event`` describes one candidate; raises UnclassifiedTypeError."""
    try:
        return PERSONAL_DATA[event.event_type] is PersonalData.CANDIDATE
    except KeyError:
        raise UnclassifiedTypeError(
            f"events/privacy.py does not classify events of the type {event.event_type}"
        ) from None


def pseudonymous_body(event: Event, key: str) -> bytes:
    """Return the body without name and result link, and with pseudonyms for everything that derives from the id.

    These are the candidate's id, the subject and the event ids. Event ids are digests of guessable facts, so anyone who
    knows the algorithm could test every candidate id. ``key`` determines the pseudonyms: one candidate has the same
    pseudonym in all events with the same key. Raises UnclassifiedTypeError.
    """
    if not is_about_a_candidate(event):
        is_receipt = PERSONAL_DATA[event.event_type] is PersonalData.DIGEST
        return _receipt_with_keyed_digest(event, key) if is_receipt else event.body
    envelope = json.loads(event.body)
    data = cast("SubmissionBody", envelope["data"])
    candidate_id = f"anon_{_keyed(key, 'candidate', data['account'], data['candidate']['id'])}"
    envelope["id"] = _event_pseudonym(key, envelope["id"])
    if "previousid" in envelope:
        envelope["previousid"] = _event_pseudonym(key, envelope["previousid"])
    _, _, attempt = envelope["subject"].partition("/attempts/")
    envelope["subject"] = path_of("candidates", candidate_id, "attempts", attempt)
    pseudonymous: SubmissionBody = {
        **data,
        "candidate": {"id": candidate_id, "name": None},
        "submission": {**data["submission"], "result": None},
    }
    envelope["data"] = pseudonymous
    return compact(envelope)


def thin_body(event: Event) -> bytes:
    """Return the body with ids and times only, for receivers that look up the rest; raises UnclassifiedTypeError."""
    if not is_about_a_candidate(event):
        return event.body
    envelope = json.loads(event.body)
    data = cast("SubmissionBody", envelope["data"])
    thin: ThinBody = {
        "account": data["account"],
        "exam": {"id": data["exam"]["id"]},
        "candidate": {"id": data["candidate"]["id"]},
        "submission": {"started_at": data["submission"]["started_at"]},
        "observed_at": data["observed_at"],
    }
    return compact({**envelope, "data": thin})


def _receipt_with_keyed_digest(event: Event, key: str) -> bytes:
    """Return the receipt with a digest that still shows changes but cannot be recomputed without ``key``."""
    envelope = json.loads(event.body)
    data = cast("VerifiedBody", envelope["data"])
    digest = _keyed(key, "digest", data["verification"]["digest"])[:16]
    keyed: VerifiedBody = {**data, "verification": {**data["verification"], "digest": digest}}
    return compact({**envelope, "data": keyed})


def _event_pseudonym(key: str, event_id: str) -> str:
    return f"evt_{_keyed(key, 'event', event_id)}"


def _keyed(key: str, *facts: str) -> str:
    """Return 32 hex digits: the first 128 bits of the HMAC-SHA256 of the facts as a JSON array."""
    return hmac.new(key.encode(), json.dumps(facts).encode(), hashlib.sha256).hexdigest()[:32]
