"""Every profile's bodies against the published schemas and other people's CloudEvents reader; run to write examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from event_examples import examples
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from examhook.delivery.endpoint import Privacy
from examhook.events.catalogue import EventType
from examhook.events.privacy import pseudonymous_body, thin_body

DOCS = Path(__file__).parents[2] / "docs" / "events"
SCHEMAS: dict[str, Any] = {path.name: json.loads(path.read_text()) for path in (DOCS / "schemas").glob("*.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


def body_under(profile: str, event_type: str) -> bytes:
    event = examples()[event_type]
    return pseudonymous_body(event, "example") if profile == Privacy.PSEUDONYMOUS else thin_body(event)


PROFILES = [Privacy.PSEUDONYMOUS.value, Privacy.THIN.value]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("event_type", list(EventType))
def test_what_a_profile_makes_fits_the_types_schema(profile: str, event_type: str) -> None:
    body = body_under(profile, event_type)
    Draft202012Validator(SCHEMAS[f"{event_type}.json"], registry=REGISTRY).validate(json.loads(body))
    read = JSONFormat().read(CloudEvent, body)
    assert read.get_type() == event_type


@pytest.mark.parametrize("profile", PROFILES)
def test_the_published_example_is_what_is_sent(profile: str) -> None:
    assert (DOCS / "profiles" / f"{profile}.json").read_bytes() == body_under(profile, "submission.submitted") + b"\n"


def test_the_page_names_every_profile() -> None:
    page = (DOCS / "README.md").read_text()
    assert [profile for profile in Privacy if f"\n| `{profile}` |" not in page] == []


if __name__ == "__main__":
    for each in PROFILES:
        (DOCS / "profiles" / f"{each}.json").write_bytes(body_under(each, "submission.submitted") + b"\n")
