"""Bodies of events: their content, and that the same facts make the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.events.build import Event, endpoint_test_event, operations_event, submission_event
from examhook.events.catalogue import OperationsEventType
from examhook.events.encoding import UnwritableInstantError, instant, path_of
from tests.support.events.model_values import ENDED_AT, OBSERVED_AT, STARTED_AT, attempt, submission, transition

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
"""Lone surrogates, controls and signs of every script included."""


def parsed(event: Event) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event.body)
    return body


def test_a_body_is_a_cloud_event_and_a_standard_webhooks_payload() -> None:
    body = parsed(submission_event(submission(), transition()))
    assert {name: body[name] for name in body if name != "data"} == {
        "specversion": "1.0",
        "id": "evt_8e3883f09d15ddeaba6e0770fcbcfb0f",
        "source": "/examhook/main/exams/23812",
        "type": "submission.submitted",
        "subject": f"candidates/19382/attempts/{STARTED_AT}",
        "time": "2026-05-03T14:02:00Z",
        "datacontenttype": "application/json",
        "timestamp": "2026-05-03T14:02:00Z",
        "revision": 1,
    }
    assert body["data"] == {
        "account": "main",
        "exam": {
            "id": "23812",
            "title": "Anatomy II",
            "url": "https://provider.test/exam/23812",
            "category": "Medicine",
        },
        "candidate": {"id": "19382", "name": "Mei Chen"},
        "submission": {
            "status": "submitted",
            "status_code": 1,
            "previous_status": None,
            "score": 87,
            "passed": True,
            "started_at": "2026-05-03T13:32:00Z",
            "ended_at": "2026-05-03T14:02:00Z",
            "duration_s": 1800,
            "result": {
                "url": "https://provider.test/viewresult/made-up-token",
                "expires_at": "2026-05-03T14:33:00Z",
            },
        },
        "observed_at": "2026-05-03T14:03:00Z",
    }


def test_a_body_contains_the_facts_of_its_transition_not_later_ones() -> None:
    """An event that is rebuilt after a rescore still contains the first score."""
    first = transition(score_points=Decimal(40), passed=False)
    later = submission(attempt=attempt(score_points=Decimal(90), passed=True), transitions=(first,))
    facts = parsed(submission_event(later, first))["data"]["submission"]
    assert (facts["score"], facts["passed"]) == (40, False)


def test_a_later_event_names_the_one_before_it() -> None:
    second = transition(sequence=2, previous_id="evt_before", previous_status_code=0)
    event = submission_event(submission(transitions=(second,)), second)
    body = parsed(event)
    assert (body["revision"], body["previousid"]) == (2, "evt_before")
    assert body["data"]["submission"]["previous_status"] == "in_test"
    assert (event.sequence, event.previous_id) == (2, "evt_before")


def test_facts_that_the_provider_did_not_state_are_null() -> None:
    bare = attempt(candidate_name=None, ended_at=None, score_points=None, passed=None, result_url=None)
    opened = transition(event_type="submission.started", status_code=0, ended_at=None, score_points=None, passed=None)
    data = parsed(
        submission_event(
            submission(attempt=bare, exam_url=None, exam_category=None, transitions=(opened,)),
            opened,
        )
    )["data"]
    assert data["candidate"] == {"id": "19382", "name": None}
    assert (data["exam"]["url"], data["exam"]["category"]) == (None, None)
    facts = data["submission"]
    assert {name for name, value in facts.items() if value is None} == {
        "previous_status",
        "score",
        "passed",
        "ended_at",
        "duration_s",
        "result",
    }


def test_an_undocumented_status_is_passed_on_unchanged() -> None:
    strange = transition(event_type="submission.unknown_status", status_code=7)
    facts = parsed(submission_event(submission(transitions=(strange,)), strange))["data"]["submission"]
    assert (facts["status"], facts["status_code"]) == ("unknown", 7)


def test_an_end_before_the_start_has_no_duration() -> None:
    ended_first = transition(ended_at=STARTED_AT - 1)
    facts = parsed(submission_event(submission(transitions=(ended_first,)), ended_first))["data"]["submission"]
    assert facts["duration_s"] is None
    assert facts["ended_at"] == instant(STARTED_AT - 1)


@pytest.mark.parametrize(
    ("points", "written"), [("30", "30"), ("30.00", "30"), ("30.5", "30.5"), ("1E+2", "100"), ("0", "0"), ("-2", "-2")]
)
def test_a_score_is_written_without_needless_digits(points: str, written: str) -> None:
    event = submission_event(submission(), transition(score_points=Decimal(points)))
    assert f'"score":{written},'.encode() in event.body


def test_a_body_is_compact_and_keeps_names_readable() -> None:
    event = submission_event(submission(attempt=attempt(candidate_name="Zoë 陈")), transition())
    assert "Zoë 陈".encode() in event.body
    assert b'", ' not in event.body
    assert b'": ' not in event.body


@given(name=ANY_TEXT, title=ANY_TEXT, candidate_id=ANY_TEXT, exam_id=ANY_TEXT)
def test_any_text_makes_a_body_and_the_same_text_makes_the_same_bytes(
    name: str, title: str, candidate_id: str, exam_id: str
) -> None:
    def build() -> Event:
        of = submission(
            attempt=attempt(candidate_name=name, candidate_id=candidate_id), exam_title=title, exam_id=exam_id
        )
        return submission_event(of, transition())

    event = build()
    assert event.body == build().body
    data = parsed(event)["data"]
    assert data["candidate"]["name"] == name.encode(errors="replace").decode()
    assert data["exam"]["title"] == title.encode(errors="replace").decode()


@given(parts=st.lists(st.text(), min_size=1, max_size=4))
def test_no_part_of_a_path_can_imitate_another(parts: list[str]) -> None:
    path = path_of(*parts)
    assert [unquote(part) for part in path.split("/")] == parts
    assert urlsplit(f"/examhook/{path}").path == f"/examhook/{path}"


@pytest.mark.parametrize("at", [-1, 253_402_300_800, 1_777_815_120_000])
def test_a_time_out_of_range_is_rejected(at: int) -> None:
    with pytest.raises(UnwritableInstantError):
        instant(at)


def test_an_operations_event_keeps_its_id_when_it_is_repeated() -> None:
    def notice(at: int = OBSERVED_AT, endpoint_id: str = "ep_1") -> Event:
        details = {"endpoint_id": endpoint_id}
        return operations_event(OperationsEventType.ENDPOINT_DISABLED, None, at, "It answered 410.", details)

    assert notice() == notice()
    assert len({notice().event_id, notice(at=OBSERVED_AT + 1).event_id, notice(endpoint_id="ep_2").event_id}) == 3
    assert parsed(notice())["subject"] == "endpoints/ep_1"


def test_an_accounts_operations_event_has_the_account_as_source() -> None:
    event = operations_event(OperationsEventType.PROVIDER_REFUSED, "main", OBSERVED_AT, "Refused.", {})
    body = parsed(event)
    assert (body["source"], event.account, event.exam_id) == ("/examhook/main", "main", None)
    assert "revision" not in body


def test_a_test_event_has_its_endpoint_as_subject() -> None:
    event = endpoint_test_event("ep_1", ENDED_AT)
    assert parsed(event)["data"]["endpoint_id"] == "ep_1"
    assert event.event_id != endpoint_test_event("ep_2", ENDED_AT).event_id


def test_an_events_repr_shows_no_body() -> None:
    event = submission_event(submission(), transition())
    assert "Mei Chen" not in repr(event)
    assert "made-up-token" not in repr(replace(event, sequence=2))
