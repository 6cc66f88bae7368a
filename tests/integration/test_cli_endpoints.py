"""``examhook endpoints``: what it stores, prints and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from examhook.workflows.administration.endpoints import ensure_configured_endpoints
from examhook_cli.listener.server import running_listener
from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, deliver_while_it_waits, installed_stack

URL = "https://receiver.example.org/hook"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    with installed_stack(monkeypatch) as stack:
        yield stack


def add(*args: str) -> dict[str, Any]:
    finished = examhook("endpoints", "add", *args, "--json")
    assert finished.exit_code == 0, finished.err
    document = finished.json()
    assert isinstance(document, dict)
    return document


def test_an_added_endpoint_is_stored_with_its_filters_and_a_sealed_secret(stack: InstalledStack) -> None:
    printed = add(
        URL, "--types", "submission.forced,submission.timed_out", "--exam", "1", "--exam", "2", "--description", "chat"
    )
    (stored,) = stack.world.endpoints.list_all()
    assert (stored.endpoint_id, stored.url, stored.description) == (printed["id"], URL, "chat")
    assert stored.types == ("submission.forced", "submission.timed_out")
    assert stored.exam_ids == ("1", "2")
    assert stack.world.key.open(stored.endpoint_id, stored.sealed_secret) == printed["secret"]
    assert printed["secret"].startswith("whsec_")


def test_adding_sends_nothing(stack: InstalledStack) -> None:
    add(URL)
    assert stack.world.deliveries.list_for() == []


def test_adding_prints_id_and_secret_for_people(stack: InstalledStack) -> None:
    finished = examhook("endpoints", "add", URL)
    (stored,) = stack.world.endpoints.list_all()
    secret = stack.world.key.open(stored.endpoint_id, stored.sealed_secret)
    assert finished.out == (
        f"Endpoint {stored.endpoint_id} receives new events from now on.\nSigning secret: {secret}\n"
    )


@pytest.mark.parametrize("url", ["not a url", "ftp://x.example.org", "https://user@x.example.org/", "https:///x"])
@pytest.mark.usefixtures("stack")
def test_a_url_that_is_none_is_wrong_usage(url: str) -> None:
    assert examhook("endpoints", "add", url).exit_code == 2


@pytest.mark.parametrize("url", ["http://receiver.example.org/", "https://localhost/", "https://10.0.0.1/"])
def test_http_and_private_addresses_need_the_stacks_leave(stack: InstalledStack, url: str) -> None:
    refused = examhook("endpoints", "add", url)
    assert refused.exit_code == 1
    assert "AllowHttpEndpoints" in refused.err
    assert stack.world.endpoints.list_all() == []
    stack.allow_local_receivers()
    assert add(url)["url"] == url


def test_a_misspelt_type_is_wrong_usage(stack: InstalledStack) -> None:
    finished = examhook("endpoints", "add", URL, "--types", "submission.submited")
    assert finished.exit_code == 2
    assert "submission.submited" in finished.err
    assert stack.world.endpoints.list_all() == []


@pytest.mark.usefixtures("stack")
def test_the_listing_has_no_secret_and_names_the_types_that_apply() -> None:
    added = [add(URL), add(URL, "--types", "submission.*")]
    finished = examhook("endpoints", "list", "--json")
    listed = finished.json()
    assert isinstance(listed, list)
    assert {each["id"] for each in listed} == {each["id"] for each in added}
    by_id = {each["id"]: each for each in listed}
    assert by_id[added[1]["id"]]["types"] == ["submission.*"]
    assert "submission.started" not in by_id[added[0]["id"]]["types"]
    assert '"secret"' not in finished.out
    assert added[0]["secret"] not in finished.out


@pytest.mark.usefixtures("stack")
def test_a_listing_in_a_pipe_is_lines_with_tabs() -> None:
    added = add(URL)
    header, line = examhook("endpoints", "list").out.splitlines()
    assert header.split("\t") == ["ID", "STATUS", "FORMAT", "FAILING SINCE", "LAST SUCCESS AT", "URL"]
    assert line.split("\t") == [added["id"], "enabled", "cloudevents", "", "", URL]


@pytest.mark.usefixtures("stack")
def test_an_empty_listing_prints_nothing_but_a_hint() -> None:
    assert examhook("endpoints", "list").out == ""
    assert examhook("endpoints", "list", "--json").json() == []


@pytest.mark.usefixtures("stack")
def test_the_secret_is_shown_only_where_it_is_asked_for() -> None:
    added = add(URL)
    for extra in ([], ["--json"]):
        assert added["secret"] not in examhook("endpoints", "show", added["id"], *extra).out
        assert added["secret"] in examhook("endpoints", "show", added["id"], "--reveal-secret", *extra).out


@pytest.mark.parametrize("command", ["show", "remove", "test"])
@pytest.mark.usefixtures("stack")
def test_an_endpoint_that_is_not_there_is_named(command: str) -> None:
    finished = examhook("endpoints", command, "ep_none")
    assert (finished.exit_code, finished.out) == (1, "")
    assert finished.err == "Endpoint ep_none does not exist: see examhook endpoints list.\n"


def test_a_removed_endpoint_is_gone(stack: InstalledStack) -> None:
    added = add(URL)
    assert examhook("endpoints", "remove", added["id"], "--yes").exit_code == 0
    assert stack.world.endpoints.list_all() == []


def test_nothing_is_removed_where_nobody_can_be_asked(stack: InstalledStack) -> None:
    added = add(URL)
    assert examhook("endpoints", "remove", added["id"]).exit_code == 2
    assert len(stack.world.endpoints.list_all()) == 1


def test_an_endpoint_of_the_parameter_leaves_with_the_parameter(stack: InstalledStack) -> None:
    world = stack.world
    (configured,) = ensure_configured_endpoints([URL], world.endpoints, world.key, world.clock.now)
    refused = examhook("endpoints", "remove", configured.endpoint_id, "--yes")
    assert refused.exit_code == 1
    assert "WebhookUrls" in refused.err
    ensure_configured_endpoints([], world.endpoints, world.key, world.clock.now)
    assert examhook("endpoints", "remove", configured.endpoint_id, "--yes").exit_code == 0


def test_a_test_arrives_signed_and_its_outcome_is_printed(
    stack: InstalledStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.allow_local_receivers()
    deliver_while_it_waits(monkeypatch, stack.world)
    with running_listener([]) as listener:
        added = add(listener.url)
        listener.trust([added["secret"]])
        finished = examhook("endpoints", "test", added["id"], "--json")
        assert [received.verified for received in listener.received] == [True]
    document = finished.json()
    assert isinstance(document, dict)
    assert finished.exit_code == 0
    assert (document["status"], document["http_status"]) == ("delivered", 204)


def test_a_test_that_is_refused_fails_and_says_why(stack: InstalledStack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.allow_local_receivers()
    deliver_while_it_waits(monkeypatch, stack.world)
    with running_listener([]) as listener:
        finished = examhook("endpoints", "test", add(listener.url)["id"])
    assert (finished.exit_code, finished.out) == (1, "")
    assert "401" in finished.err


def test_a_test_that_nobody_sends_ends_with_where_to_look(
    stack: InstalledStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = add(URL)
    times = iter(range(0, 1000, 100))
    monkeypatch.setattr("examhook_cli.commands.endpoint_testing.monotonic", lambda: next(times))
    finished = examhook("endpoints", "test", added["id"])
    (delivery,) = stack.world.deliveries.list_for()
    assert finished.exit_code == 1
    assert f"examhook deliveries show {added['id']} {delivery.event_id}" in finished.err


def test_a_disabled_endpoint_is_not_tested(stack: InstalledStack) -> None:
    added = add(URL)
    stack.world.endpoints.disable(added["id"], "it answered 410", at=1)
    finished = examhook("endpoints", "test", added["id"])
    assert finished.exit_code == 1
    assert "is disabled: it answered 410" in finished.err


def test_adding_with_a_test_sends_one(stack: InstalledStack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.allow_local_receivers()
    deliver_while_it_waits(monkeypatch, stack.world)
    with running_listener([]) as listener:
        finished = examhook("endpoints", "add", listener.url, "--test")
        assert len(listener.received) == 1
    assert finished.exit_code == 0
    assert "failed after" in finished.err


def test_adding_a_url_again_says_who_has_it_already(stack: InstalledStack) -> None:
    first = examhook("endpoints", "add", URL, "--json")
    assert "same URL" not in first.err
    again = examhook("endpoints", "add", URL, "--json")
    assert again.exit_code == 0
    assert f"{json.loads(first.out)['id']} has the same URL" in again.err
    assert len(stack.world.endpoints.list_all()) == 2


def test_the_content_type_of_events_is_chosen_when_adding_and_later(stack: InstalledStack) -> None:
    added = add(URL, "--content-type", "cloudevents")
    assert added["content_type"] == "cloudevents"
    assert examhook("endpoints", "update", added["id"], "--content-type", "json").exit_code == 0
    assert "content type\tjson" in examhook("endpoints", "show", added["id"]).out
    assert add(URL)["content_type"] == "json"
    assert len(stack.world.endpoints.list_all()) == 2
