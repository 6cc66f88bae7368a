"""What the privacy profiles tell, and what they keep."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, Privacy
from examhook.delivery.payload import MissingKeyError, payload_for
from examhook.events.build import Event, endpoint_test_event, submission_event
from examhook.events.privacy import UnclassifiedTypeError, pseudonymous_body, thin_body
from tests.support.events.event_examples import examples
from tests.support.events.model_values import STARTED_AT, attempt, submission, transition

KEY = "a key of one endpoint"
EVENT = submission_event(submission(), transition(sequence=2, previous_id="evt_" + "1" * 32))


def body_of(event: Event, key: str = KEY) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(pseudonymous_body(event, key))
    return body


def endpoint(privacy: Privacy) -> Endpoint:
    return Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1, privacy=privacy)


def test_a_pseudonymous_event_names_nobody_and_leads_to_nobody() -> None:
    told = pseudonymous_body(EVENT, KEY).decode()
    assert not [word for word in ("Mei Chen", "19382", "made-up-token", EVENT.event_id, "1" * 32) if word in told]


def test_a_pseudonymous_event_tells_all_else() -> None:
    told, full = body_of(EVENT), json.loads(EVENT.body)
    assert told["data"]["exam"] == full["data"]["exam"]
    kept = {name: value for name, value in full["data"]["submission"].items() if name != "result"}
    assert {name: told["data"]["submission"][name] for name in kept} == kept
    assert (told["revision"], told["time"], told["type"]) == (full["revision"], full["time"], full["type"])
    assert list(told) == list(full)


def test_a_candidate_has_one_pseudonym_within_an_endpoint_and_another_elsewhere() -> None:
    another_exam = submission_event(submission(exam_id="7"), transition(event_id="evt_" + "2" * 32))
    someone_else = submission_event(submission(attempt=attempt(candidate_id="1")), transition())
    mine = body_of(EVENT)["data"]["candidate"]["id"]
    assert body_of(another_exam)["data"]["candidate"]["id"] == mine
    assert body_of(someone_else)["data"]["candidate"]["id"] != mine
    assert body_of(EVENT, "another key")["data"]["candidate"]["id"] != mine
    assert body_of(EVENT)["subject"] == f"candidates/{mine}/attempts/{STARTED_AT}"


def test_previous_ids_still_lead_from_event_to_event() -> None:
    before = submission_event(submission(), transition(event_id="evt_" + "1" * 32))
    assert body_of(EVENT)["previousid"] == body_of(before)["id"]


def test_the_same_event_makes_the_same_bytes_at_every_attempt() -> None:
    assert pseudonymous_body(EVENT, KEY) == pseudonymous_body(EVENT, KEY)
    assert thin_body(EVENT) == thin_body(EVENT)


def test_a_thin_event_tells_ids_and_times_only() -> None:
    thin = json.loads(thin_body(EVENT))
    assert thin["data"] == {
        "account": "main",
        "exam": {"id": "23812"},
        "candidate": {"id": "19382"},
        "submission": {"started_at": "2026-05-03T13:32:00Z"},
        "observed_at": "2026-05-03T14:03:00Z",
    }
    assert thin["id"] == EVENT.event_id


def test_what_is_sent_is_known_by_the_id_in_its_body() -> None:
    for privacy in Privacy:
        payload = payload_for(EVENT, endpoint(privacy), KEY)
        assert json.loads(payload.body)["id"] == payload.webhook_id
    assert payload_for(EVENT, endpoint(Privacy.FULL), None).body == EVENT.body


def test_without_a_key_nothing_is_told_rather_than_too_much() -> None:
    with pytest.raises(MissingKeyError):
        payload_for(EVENT, endpoint(Privacy.PSEUDONYMOUS), None)


@pytest.mark.parametrize("privacy", list(Privacy))
def test_events_about_no_submission_stay_as_they_are(privacy: Privacy) -> None:
    shown = examples()
    for event in (endpoint_test_event("ep_1", 1), *(shown[each] for each in ("provider.refused", "exam.opened"))):
        assert payload_for(event, endpoint(privacy), KEY).body == event.body


@pytest.mark.parametrize("privacy", [Privacy.PSEUDONYMOUS, Privacy.THIN])
def test_a_type_that_nothing_is_stated_of_is_told_to_nobody_who_may_know_less(privacy: Privacy) -> None:
    unstated = replace(EVENT, event_type="candidate.moved")
    with pytest.raises(UnclassifiedTypeError):
        payload_for(unstated, endpoint(privacy), KEY)


def test_no_candidates_id_can_be_guessed_from_the_digest_of_a_pseudonymous_receipt() -> None:
    """Whoever knows all else of one attempt could try every id."""
    receipt = examples()["exam.verified"]
    told, full = body_of(receipt), json.loads(receipt.body)
    digests = [told["data"]["verification"].pop("digest"), full["data"]["verification"].pop("digest")]
    assert told == full
    assert digests[0] != digests[1]
    assert body_of(receipt)["data"]["verification"]["digest"] == digests[0], "so that it tells whether anything changed"
    assert body_of(receipt, "another key")["data"]["verification"]["digest"] != digests[0]


def test_two_tests_of_one_second_are_two_events() -> None:
    ids = {endpoint_test_event("ep_1", 1, salt).event_id for salt in ("", "a", "b")}
    assert len(ids) == 3
