"""Every profile's bodies against the published schemas and other people's CloudEvents reader; run to write examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from examhook.delivery.endpoint import Privacy
from examhook.events.catalogue import ENDPOINT_TEST, WEBHOOK_TYPES, EventType, OperationsEventType
from examhook.events.privacy import PERSONAL_DATA, PersonalData, pseudonymous_body, thin_body
from examhook.events.result_link import without_link
from tests.support.events.event_examples import examples

DOCS = Path(__file__).parents[2] / "docs" / "events"
SCHEMAS: dict[str, Any] = {path.name: json.loads(path.read_text()) for path in (DOCS / "schemas").glob("*.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


def body_under(profile: str, event_type: str) -> bytes:
    event = examples()[event_type]
    return pseudonymous_body(event, "example") if profile == Privacy.PSEUDONYMOUS else thin_body(event)


TYPES = [*(each.value for each in WEBHOOK_TYPES), *(each.value for each in OperationsEventType), ENDPOINT_TEST]
PERSONAL = ("19382", "Mei Chen", "token=example")
"""What the examples hold of a person: id, name, link."""

PROFILES = [Privacy.PSEUDONYMOUS.value, Privacy.THIN.value]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("event_type", list(WEBHOOK_TYPES))
def test_what_a_profile_makes_fits_the_types_schema(profile: str, event_type: str) -> None:
    body = body_under(profile, event_type)
    Draft202012Validator(SCHEMAS[f"{event_type}.json"], registry=REGISTRY).validate(json.loads(body))
    read = JSONFormat().read(CloudEvent, body)
    assert read.get_type() == event_type


def test_of_every_type_it_is_stated_whom_it_tells_of() -> None:
    assert sorted(PERSONAL_DATA) == sorted(TYPES) == sorted(examples())


@pytest.mark.parametrize("event_type", TYPES)
def test_what_is_stated_is_true_of_the_example(event_type: str) -> None:
    """The event of a type that is not about a candidate contains no candidate, under any name."""
    told = examples()[event_type].body.decode()
    holds = [word for word in (*PERSONAL, "candidate") if word in told]
    assert bool(holds) == (PERSONAL_DATA[event_type] is PersonalData.CANDIDATE), holds


@pytest.mark.parametrize("event_type", TYPES)
def test_a_pseudonymous_receiver_learns_of_no_type_who_it_is_about(event_type: str) -> None:
    event = examples()[event_type]
    told = body_under(Privacy.PSEUDONYMOUS, event_type).decode()
    about_someone = PERSONAL_DATA[event_type] is PersonalData.CANDIDATE
    hidden = (*PERSONAL, event.event_id, event.previous_id or "none") if about_someone else PERSONAL
    assert [word for word in hidden if word in told] == []


@pytest.mark.parametrize("event_type", TYPES)
def test_a_thin_receiver_learns_ids_and_times_of_every_type_and_nothing_of_a_person_but_the_id(event_type: str) -> None:
    told = body_under(Privacy.THIN, event_type).decode()
    assert [word for word in PERSONAL[1:] if word in told] == []
    if PERSONAL_DATA[event_type] is PersonalData.CANDIDATE:
        assert not [word for word in ('"score"', '"passed"', '"title"', '"result"', '"status"') if word in told]


@pytest.mark.parametrize("event_type", list(EventType))
def test_a_body_whose_link_could_not_be_renewed_fits_its_schema(event_type: str) -> None:
    body = json.loads(without_link(examples()[event_type]).body)
    assert body["data"]["submission"]["result"]["url"] is None
    Draft202012Validator(SCHEMAS[f"{event_type}.json"], registry=REGISTRY).validate(body)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_published_example_is_what_is_sent(profile: str) -> None:
    assert (DOCS / "profiles" / f"{profile}.json").read_bytes() == body_under(profile, "submission.submitted") + b"\n"


def test_the_page_names_every_profile() -> None:
    page = (DOCS / "README.md").read_text()
    assert [profile for profile in Privacy if f"\n| `{profile}` |" not in page] == []


if __name__ == "__main__":
    for each in PROFILES:
        (DOCS / "profiles" / f"{each}.json").write_bytes(body_under(each, "submission.submitted") + b"\n")
