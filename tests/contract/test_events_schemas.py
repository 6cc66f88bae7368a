"""Published schemas and examples match the code, and the CloudEvents SDK reads the events."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from examhook.destinations.sns import TopicPublisher
from examhook.detection.scan_result import digest_of
from examhook.detection.transition import Observation, change_from
from examhook.events import body as shapes
from examhook.events.build import CONTENT_TYPE, Event, submission_event
from examhook.events.catalogue import ENDPOINT_TEST, OFF_BY_DEFAULT, WEBHOOK_TYPES, OperationsEventType
from examhook.events.message import email_for
from examhook.model import Attempt, Submission
from tests.support.events.event_examples import examples
from tests.support.events.model_values import OBSERVED_AT, STARTED_AT, exam, submission, transition

DOCS = Path(__file__).parents[2] / "docs" / "events"
README = (DOCS / "README.md").read_text()
TYPES = sorted([*(each.value for each in WEBHOOK_TYPES), *(each.value for each in OperationsEventType), ENDPOINT_TEST])
SCHEMAS: dict[str, Any] = {path.name: json.loads(path.read_text()) for path in (DOCS / "schemas").glob("*.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


def validate(event: Event) -> None:
    schema = SCHEMAS[f"{event.event_type}.json"]
    Draft202012Validator(schema, registry=REGISTRY).validate(json.loads(event.body))


def test_every_type_has_one_schema_one_example_and_one_row() -> None:
    assert sorted(SCHEMAS) == sorted(["envelope.json", *(f"{each}.json" for each in TYPES)])
    assert sorted(path.name for path in (DOCS / "examples").iterdir()) == [f"{each}.json" for each in TYPES]
    rows = re.findall(
        r"^\| `([a-z_.]+\.[a-z_]+)` \|.*\[schema\]\((.*?)\) · \[example\]\((.*?)\) \|$", README, re.MULTILINE
    )
    assert sorted(rows) == [(each, f"schemas/{each}.json", f"examples/{each}.json") for each in TYPES]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_valid_and_names_itself(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == name


@pytest.mark.parametrize("event_type", TYPES)
def test_an_example_equals_the_built_bytes_and_matches_its_schema(event_type: str) -> None:
    event = examples()[event_type]
    assert (DOCS / "examples" / f"{event_type}.json").read_bytes() == event.body + b"\n"
    validate(event)


@pytest.mark.parametrize("event_type", TYPES)
def test_a_schema_rejects_every_other_type(event_type: str) -> None:
    schema = Draft202012Validator(SCHEMAS[f"{event_type}.json"], registry=REGISTRY)
    accepted = [other for other, event in examples().items() if schema.is_valid(json.loads(event.body))]
    assert accepted == [event_type]


@pytest.mark.parametrize(
    ("definition", "shape"),
    [
        ("exam", shapes.ExamBody),
        ("candidate", shapes.CandidateBody),
        ("result", shapes.ResultBody),
        ("submission", shapes.SubmissionFacts),
        ("submission_data", shapes.SubmissionBody),
        ("availability_data", shapes.AvailabilityBody),
        ("verification", shapes.VerificationBody),
        ("verified_data", shapes.VerifiedBody),
        ("operations_data", shapes.OperationsBody),
        ("endpoint_test_data", shapes.EndpointTestBody),
    ],
)
def test_a_schema_names_and_requires_exactly_the_keys_that_are_built(definition: str, shape: type) -> None:
    keys = list(get_type_hints(shape))
    defined = SCHEMAS["envelope.json"]["$defs"][definition]
    assert list(defined["properties"]) == keys
    assert defined["required"] == keys


def test_the_envelope_schema_has_every_sent_attribute() -> None:
    sent = {name for event in examples().values() for name in json.loads(event.body)}
    assert sent == set(SCHEMAS["envelope.json"]["properties"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "evt_short"),
        (("revision",), "0000000001"),
        (("revision",), 0),
        (("time",), "2026-05-03T14:02:00+00:00"),
        (("data", "submission", "status"), "forced"),
        (("data", "submission", "score"), "87"),
        (("data", "submission", "duration_s"), -1),
        (("data", "candidate"), {"id": "19382"}),
        (("data", "submission", "result"), {"url": "https://exams.example/"}),
    ],
)
def test_a_wrong_body_does_not_match_its_schema(path: tuple[str, ...], value: object) -> None:
    body = json.loads(submission_event(submission(), transition()).body)
    *way, last = path
    inner = body
    for step in way:
        inner = inner[step]
    inner[last] = value
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMAS["submission.submitted.json"], registry=REGISTRY).validate(body)


rows = st.builds(
    Attempt,
    candidate_id=st.just("19382"),
    started_at=st.just(STARTED_AT),
    status_code=st.integers(-1, 6),
    candidate_name=st.one_of(st.none(), st.text()),
    ended_at=st.one_of(st.none(), st.integers(STARTED_AT - 10, OBSERVED_AT)),
    score_points=st.one_of(st.none(), st.decimals(-1000, 1000, places=2)),
    passed=st.one_of(st.none(), st.booleans()),
    result_url=st.one_of(st.none(), st.just("https://provider.test/viewresult/a")),
)


@given(seen=st.lists(rows, min_size=1, max_size=5), title=st.text(), category=st.one_of(st.none(), st.text()))
def test_any_provider_answer_makes_events_that_match_their_schemas(
    seen: list[Attempt], title: str, category: str | None
) -> None:
    of = exam(title=title, category=category)
    stored: Submission | None = None
    for number, row in enumerate(seen):
        change = change_from(stored, row, Observation("main", of, observed_at=OBSERVED_AT + number, fence=1))
        if change is not None:
            stored = change.after
            if change.announces:
                validate(submission_event(stored, stored.transitions[-1]))


@pytest.mark.parametrize("event_type", TYPES)
def test_the_cloudevents_sdk_reads_sent_events(event_type: str) -> None:
    event = examples()[event_type]
    body = json.loads(event.body)
    read = JSONFormat().read(CloudEvent, event.body)
    assert JSONFormat().get_content_type() == CONTENT_TYPE
    assert (read.get_id(), read.get_type(), read.get_source()) == (event.event_id, event_type, body["source"])
    assert read.get_subject() == body.get("subject")
    time = read.get_time()
    assert time is not None
    assert int(time.timestamp()) == event.occurred_at
    assert read.get_extension("revision") == body.get("revision")
    assert read.get_extension("previousid") == event.previous_id
    assert read.get_data() == body["data"]


def test_the_readme_contains_the_example() -> None:
    shown = README.split("```json\n")[1].split("```")[0]
    assert json.loads(shown) == json.loads(examples()["submission.submitted"].body)


def test_the_readme_shows_the_email_as_it_is_sent() -> None:
    email = email_for(examples()["submission.submitted"])
    assert f"```text\n{email.subject}\n\n{email.text.rstrip()}\n```" in README


def test_the_readme_names_the_message_attributes_that_are_sent() -> None:
    sent: list[dict[str, Any]] = []

    class Topic:
        def publish_batch(self, **request: Any) -> dict[str, Any]:
            sent.extend(request["PublishBatchRequestEntries"])
            return {"Successful": [{"Id": entry["Id"]} for entry in sent]}

    TopicPublisher(Topic()).publish_submission_events("topic", [submission_event(submission(), transition())])  # type: ignore[arg-type] # a stand-in
    named = re.findall(r"`([a-z_]+)`", README.split("for filter policies:")[1].split(".")[0])
    assert named == list(sent[0]["MessageAttributes"])


def test_the_readme_marks_the_types_that_webhooks_get_only_by_subscription() -> None:
    asked_for = re.findall(r"^\| `(.+?)` \|.*webhooks that ask for it", README, re.MULTILINE)
    assert sorted(asked_for) == sorted(OFF_BY_DEFAULT)


def test_points_are_numbers_for_every_reader() -> None:
    body = json.loads(submission_event(submission(), transition(score_points=Decimal("86.50"))).body)
    assert body["data"]["submission"]["score"] == 86.5


def test_a_receiver_can_compute_a_receipts_digest_as_the_page_says() -> None:
    shown = [
        Attempt("19382", STARTED_AT, 0, "Mei Chen"),
        Attempt("19383", STARTED_AT, 1, "A", STARTED_AT + 60, Decimal("86.5"), passed=True),
        Attempt("19384", STARTED_AT, 2, "B", STARTED_AT + 60, Decimal(40), passed=False),
        Attempt("19385", STARTED_AT, 3, "C", None, Decimal("0.00001")),
        Attempt("19386", STARTED_AT, 7, "D", STARTED_AT + 90),
    ]
    events = []
    for one in shown:
        change = change_from(None, one, Observation("main", exam(), observed_at=OBSERVED_AT, fence=1))
        assert change is not None
        body = submission_event(change.after, change.after.transitions[-1]).body
        events.append(json.loads(body, parse_float=Decimal))
    scope: dict[str, Any] = {}
    exec(README.split("```python\n")[1].split("```")[0], scope)  # noqa: S102 - the page's own snippet
    assert scope["digest"](events) == f"{digest_of(shown):016x}"
