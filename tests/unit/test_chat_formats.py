"""Messages for chats: the shape that each product takes, nobody's markup in effect, no more told than is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from examhook.delivery.endpoint import BodyFormat, ContentType, Endpoint, EndpointOrigin, Privacy
from examhook.delivery.payload import payload_for
from examhook.events.build import CONTENT_TYPE, Event, submission_event
from examhook.events.catalogue import ENDPOINT_TEST, WEBHOOK_TYPES, EventType
from examhook.events.message import email_for
from tests.support.delivery.chat_schemas import DISCORD, DISCORD_CHARACTERS, SLACK, TEAMS, TEAMS_BYTES
from tests.support.events.event_examples import examples
from tests.support.events.model_values import attempt, submission, transition

CHATS = (BodyFormat.SLACK, BodyFormat.TEAMS, BodyFormat.DISCORD)
SCHEMAS: Mapping[BodyFormat, Any] = {BodyFormat.SLACK: SLACK, BodyFormat.TEAMS: TEAMS, BodyFormat.DISCORD: DISCORD}
SENTENCE = "Mei Chen submitted “Anatomy II” on 3 May 2026 at 14:02 UTC, score 87, passed."
HOSTILE = (
    "@everyone <!channel> <@U024BE7LH> <https://evil.test|your bank> [click](https://evil.test) **x** _y_ ~z~ `c` "
    "&lt;!here&gt; <@&1234> @here ||s|| # h https://evil.test <t:0:R> {{DATE(2017-02-14T06:00Z)}} <at>Boss</at>"
)


def endpoint(body_format: BodyFormat, privacy: Privacy = Privacy.FULL) -> Endpoint:
    return Endpoint("ep_1", "https://chat.test", b"", EndpointOrigin.CLI, 0, body_format=body_format, privacy=privacy)


def body_of(event: Event, body_format: BodyFormat, privacy: Privacy = Privacy.FULL) -> bytes:
    payload = payload_for(event, endpoint(body_format, privacy), "a key for pseudonyms")
    assert payload.content_type == "application/json"
    return payload.body


def event_of(name: str, title: str = "Anatomy II", url: str | None = None, **changes: Any) -> Event:
    made = submission(attempt=attempt(candidate_name=name, result_url=url), exam_title=title)
    return submission_event(made, transition(**changes))


def texts_in(value: object) -> Iterator[str]:
    """Every text of a document but those under ``$schema``, ``type`` and the addresses."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in {"$schema", "type", "contentType", "url", "timestamp", "version"}:
                yield from texts_in(each)


def shown(body: bytes, body_format: BodyFormat) -> str:
    """All that a body says, with the product's escapes undone."""
    said = "\n".join(texts_in(json.loads(body)))
    if body_format is BodyFormat.SLACK:
        return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", said) if body_format is BodyFormat.DISCORD else said


def check(body: bytes, body_format: BodyFormat) -> None:
    """Within the product's shape and limits, and with no markup but our own in effect."""
    document = json.loads(body)
    Draft202012Validator(SCHEMAS[body_format]).validate(document)
    match body_format:
        case BodyFormat.SLACK:
            for text in texts_in(document):
                plain = re.sub(r"^<[^<>|]+\|The result>", "", text)
                assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", plain)
        case BodyFormat.TEAMS:
            # The schema allows text only in text runs, which support neither Markdown nor mentions.
            assert len(body) <= TEAMS_BYTES
        case _:
            [embed] = document["embeds"]
            escaped = [embed["description"], *(each["value"] for each in embed["fields"])]
            for text in escaped:
                assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\[!-/:-@\[-`{-~]", "", text))
            texts = [embed.get("title", ""), embed["footer"]["text"], *escaped, *(f["name"] for f in embed["fields"])]
            assert sum(len(text.encode("utf-16-le")) // 2 for text in texts) <= DISCORD_CHARACTERS


@pytest.mark.parametrize("privacy", list(Privacy))
@pytest.mark.parametrize("event_type", [*WEBHOOK_TYPES, ENDPOINT_TEST])
@pytest.mark.parametrize("body_format", CHATS)
def test_every_event_fits_every_product_under_every_profile(
    body_format: BodyFormat, event_type: str, privacy: Privacy
) -> None:
    check(body_of(examples()[event_type], body_format, privacy), body_format)


@pytest.mark.parametrize("body_format", CHATS)
def test_a_chat_reads_what_an_e_mail_says(body_format: BodyFormat) -> None:
    event = submission_event(submission(), transition())
    said = shown(body_of(event, body_format), body_format)
    email = email_for(event).text
    assert SENTENCE in said
    assert SENTENCE in email
    for label, text in (
        ("Exam", "Anatomy II (23812)"),
        ("Score", "87"),
        ("Ended", "3 May 2026 at 14:02 UTC, after 30"),
    ):
        assert label in said
        assert text in said
        assert f"{label}: {text}" in email
    assert event.event_id in said


@pytest.mark.parametrize("body_format", CHATS)
def test_the_result_is_a_link_that_says_until_when_it_works(body_format: BodyFormat) -> None:
    body = body_of(submission_event(submission(), transition()), body_format).decode()
    assert "https://provider.test/viewresult/made-up-token" in body
    assert "until 3 May 2026 at 14:33 UTC" in body


@pytest.mark.parametrize("body_format", CHATS)
def test_a_link_that_cannot_be_sent_whole_is_left_out(body_format: BodyFormat) -> None:
    body = body_of(event_of("Mei", url=f"https://provider.test/{'x' * 3000}"), body_format)
    check(body, body_format)
    assert b"provider.test" not in body


@pytest.mark.parametrize("count", [1, 500, 580, 600, 700, 1900])
def test_a_link_with_many_ampersands_is_whole_or_left_out(count: int) -> None:
    """Slack counts the characters after escaping, by which each & becomes five."""
    url = f"https://provider.test/?{'&' * count}"
    body = body_of(event_of("Mei", url=url), BodyFormat.SLACK)
    check(body, BodyFormat.SLACK)
    assert (f"<{url.replace('&', '&amp;')}|".encode() in body) == (count <= 580)


@pytest.mark.parametrize("body_format", CHATS)
def test_a_test_says_that_it_is_one(body_format: BodyFormat) -> None:
    assert "This is a test of Examhook." in shown(body_of(examples()[ENDPOINT_TEST], body_format), body_format)


@pytest.mark.parametrize("body_format", CHATS)
def test_markup_in_names_and_titles_is_shown_and_has_no_effect(body_format: BodyFormat) -> None:
    body = body_of(event_of(HOSTILE, "<!everyone> *Anatomy* @here"), body_format)
    check(body, body_format)
    assert "@everyone <!channel> <@U024BE7LH> <https://evil.test|your bank>" in shown(body, body_format)


@pytest.mark.parametrize("body_format", CHATS)
@given(
    name=st.text(max_size=3000) | st.lists(st.sampled_from(HOSTILE.split()), max_size=200).map(" ".join),
    title=st.text(max_size=3000),
    path=st.text(max_size=50) | st.text(alphabet="&<>=%", max_size=2000),
)
@example(name="&" * 5000, title="<" * 5000, path="a|b>c d\u00e9`")
@example(name="*" * 5000, title="\U0001f600" * 5000, path="?a=1&b=<script>")
@example(name="\ud800\u202e\n", title="\x00", path="\ud800")
def test_no_name_title_or_link_breaks_out_or_is_too_long(
    body_format: BodyFormat, name: str, title: str, path: str
) -> None:
    check(body_of(event_of(name, title, f"https://provider.test/{path}"), body_format), body_format)


@pytest.mark.parametrize("body_format", CHATS)
@pytest.mark.parametrize("privacy", [Privacy.PSEUDONYMOUS, Privacy.THIN])
def test_a_chat_is_told_no_more_than_its_profile_allows(body_format: BodyFormat, privacy: Privacy) -> None:
    event = submission_event(submission(), transition())
    said = shown(body_of(event, body_format, privacy), body_format)
    assert "Mei Chen" not in said
    assert "viewresult" not in said
    if privacy is Privacy.THIN:
        assert "Candidate 19382 submitted “23812” on 3 May 2026 at 14:02 UTC." in said
        assert "Score" not in said
    else:
        assert "19382" not in said
        assert event.event_id not in said
        assert "submitted “Anatomy II” on 3 May 2026 at 14:02 UTC, score 87, passed." in said


@pytest.mark.parametrize("body_format", CHATS)
def test_an_unknown_status_reads_well_also_where_it_is_not_told(body_format: BodyFormat) -> None:
    event = event_of("Mei Chen", event_type=EventType.UNKNOWN_STATUS.value, status_code=7)
    assert "Mei Chen has the undocumented status 7 in" in shown(body_of(event, body_format), body_format)
    assert "Candidate 19382 has an undocumented status in" in shown(
        body_of(event, body_format, Privacy.THIN), body_format
    )


@pytest.mark.parametrize("privacy", list(Privacy))
def test_an_endpoint_may_ask_for_the_content_type_of_cloudevents_and_gets_the_same_bytes(privacy: Privacy) -> None:
    event = submission_event(submission(), transition())
    plain = endpoint(BodyFormat.CLOUDEVENTS, privacy)
    asked = replace(plain, content_type=ContentType.CLOUDEVENTS)
    payloads = [payload_for(event, each, "key") for each in (plain, asked)]
    assert [each.content_type for each in payloads] == ["application/json", CONTENT_TYPE]
    assert payloads[0].body == payloads[1].body


@pytest.mark.parametrize("body_format", CHATS)
def test_a_chat_gets_json_whatever_the_content_type_of_events(body_format: BodyFormat) -> None:
    asked = replace(endpoint(body_format), content_type=ContentType.CLOUDEVENTS)
    assert payload_for(submission_event(submission(), transition()), asked, None).content_type == "application/json"


@pytest.mark.parametrize("privacy", list(Privacy))
def test_a_format_changes_neither_the_id_nor_the_bytes_of_a_repeat(privacy: Privacy) -> None:
    event = submission_event(submission(), transition())
    plain = payload_for(event, endpoint(BodyFormat.CLOUDEVENTS, privacy), "key")
    assert plain.content_type == "application/json"
    for body_format in CHATS:
        payloads = [payload_for(event, endpoint(body_format, privacy), "key") for _ in range(2)]
        assert payloads[0] == payloads[1]
        assert payloads[0].webhook_id == plain.webhook_id


def test_a_new_endpoint_gets_events_themselves() -> None:
    fresh = replace(endpoint(BodyFormat.SLACK))
    assert Endpoint(fresh.endpoint_id, fresh.url, b"", EndpointOrigin.CLI, 0).body_format is BodyFormat.CLOUDEVENTS
