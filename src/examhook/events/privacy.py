"""Telling less: events without what a receiver need not know, made from an event's body alone.

Only events about submissions hold anything about a person; all others stay as they are. The same
body and key always make the same bytes, so a repeated attempt sends what the first one sent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import cast

from examhook.events.body import SubmissionBody, ThinBody
from examhook.events.build import Event
from examhook.events.envelope import compact, path_of

_SUBMISSION = "submission."


def pseudonymous_body(event: Event, key: str) -> bytes:
    """``event`` without name and result link, and with pseudonyms in place of all that derives from the candidate's id.

    That is the candidate's id, the subject, and the event's own ids: they are digests of facts that
    can be guessed, so whoever knows how they are made could try every candidate. A pseudonym is the
    same in every event that is made with ``key``, and means nothing without it.
    """
    envelope = json.loads(event.body)
    if not event.event_type.startswith(_SUBMISSION):
        return event.body
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
    """``event`` with ids and times only: whom and what it is about, for receivers that look the rest up themselves."""
    if not event.event_type.startswith(_SUBMISSION):
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


def _event_id(key: str, event_id: str) -> str:
    return f"evt_{_keyed(key, 'event', event_id)}"


def _keyed(key: str, *facts: str) -> str:
    """The first 128 bits (hex) of an HMAC-SHA256 of the facts as a JSON array, which no fact can forge."""
    return hmac.new(key.encode(), json.dumps(facts).encode(), hashlib.sha256).hexdigest()[:32]
