"""``examhook endpoints update``, ``enable``, ``disable``, ``rotate-secret``: what they store, print and refuse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from examhook.delivery.endpoint import Endpoint, Privacy
from examhook.workflows.administration.endpoints import ensure_configured_endpoints
from tests.support.cli.command_line import Finished, examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack

URL = "https://receiver.example.org/hook"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    with installed_stack(monkeypatch) as stack:
        yield stack


def add(*args: str) -> str:
    return str(document(examhook("endpoints", "add", URL, *args, "--json"))["id"])


def document(finished: Finished) -> dict[str, Any]:
    assert finished.exit_code == 0, finished.err
    printed = finished.json()
    assert isinstance(printed, dict)
    return printed


def stored(stack: InstalledStack, endpoint_id: str) -> Endpoint:
    endpoint = stack.world.endpoints.get(endpoint_id)
    assert endpoint is not None
    return endpoint


def test_an_update_changes_what_is_named_and_an_empty_value_takes_a_filter_away(stack: InstalledStack) -> None:
    endpoint_id = add("--types", "submission.forced", "--exam", "1,2", "--description", "chat")
    printed = document(examhook("endpoints", "update", endpoint_id, "--exam", "", "--privacy", "thin", "--json"))
    endpoint = stored(stack, endpoint_id)
    assert (endpoint.types, endpoint.exam_ids, endpoint.description) == (("submission.forced",), (), "chat")
    assert endpoint.privacy is Privacy.THIN
    assert (printed["privacy"], printed["exam_ids"]) == ("thin", [])
    assert examhook("endpoints", "update", endpoint_id, "--types", "").exit_code == 0
    assert stored(stack, endpoint_id).types == ()


def test_a_rate_is_set_changed_and_taken_away(stack: InstalledStack) -> None:
    endpoint_id = add("--rate", "2.5")
    assert stored(stack, endpoint_id).rate_per_second == 2.5
    printed = document(examhook("endpoints", "update", endpoint_id, "--rate", "10", "--json"))
    assert printed["rate_per_second"] == 10
    assert examhook("endpoints", "update", endpoint_id, "--description", "x").exit_code == 0
    assert stored(stack, endpoint_id).rate_per_second == 10
    assert examhook("endpoints", "update", endpoint_id, "--rate", "0").exit_code == 0
    assert stored(stack, endpoint_id).rate_per_second is None


def test_headers_and_privacy_can_be_given_at_once_and_are_shown_only_on_request(stack: InstalledStack) -> None:
    endpoint_id = add("--header", "Authorization: Bearer the-token", "--privacy", "pseudonymous")
    assert stored(stack, endpoint_id).privacy is Privacy.PSEUDONYMOUS
    for extra in ([], ["--json"]):
        shown = examhook("endpoints", "show", endpoint_id, *extra).out
        assert "Authorization" in shown
        assert "the-token" not in shown
        assert "the-token" in examhook("endpoints", "show", endpoint_id, "--reveal-secret", *extra).out
    assert "the-token" not in examhook("endpoints", "list", "--json").out


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--types", "submission.submited"],
        ["--url", "ftp://x.example.org/"],
        ["--header", "no colon"],
        ["--header", "webhook-id: 1"],
        ["--header", "X-A: 1", "--header", "X-A: 2"],
        ["--privacy", "some"],
        ["--rate", "1000"],
        ["--rate", "-1"],
        ["--rate", "fast"],
    ],
)
@pytest.mark.usefixtures("stack")
def test_a_slip_of_the_pen_is_wrong_usage(args: list[str]) -> None:
    finished = examhook("endpoints", "update", add(), *args)
    assert (finished.exit_code, finished.out) == (2, "")


def test_a_private_url_needs_the_stacks_leave(stack: InstalledStack) -> None:
    endpoint_id = add()
    refused = examhook("endpoints", "update", endpoint_id, "--url", "https://localhost/")
    assert refused.exit_code == 1
    assert "AllowPrivateEndpoints" in refused.err
    stack.allow_local_receivers()
    assert examhook("endpoints", "update", endpoint_id, "--url", "https://localhost/").exit_code == 0
    assert stored(stack, endpoint_id).url == "https://localhost/"


def test_disabling_and_enabling_say_what_they_did(stack: InstalledStack) -> None:
    endpoint_id = add()
    assert examhook("endpoints", "disable", endpoint_id, "--reason", "changing servers").exit_code == 0
    endpoint = stored(stack, endpoint_id)
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "changing servers")
    assert "already" in examhook("endpoints", "disable", endpoint_id).out
    enabled = examhook("endpoints", "enable", endpoint_id)
    assert enabled.exit_code == 0
    assert (enabled.err, "missed deliveries follow" in enabled.out) == ("", True)
    assert stored(stack, endpoint_id).is_enabled
    assert "already" in examhook("endpoints", "enable", endpoint_id).out


def test_an_endpoint_that_left_the_parameter_is_not_enabled_by_hand(stack: InstalledStack) -> None:
    world = stack.world
    (configured,) = ensure_configured_endpoints([URL], world.endpoints, world.key, world.clock.now)
    ensure_configured_endpoints([], world.endpoints, world.key, world.clock.now)
    refused = examhook("endpoints", "enable", configured.endpoint_id)
    assert (refused.exit_code, "WebhookUrls" in refused.err) == (1, True)


def test_a_rotation_prints_the_new_secret_and_keeps_the_old_for_a_day(stack: InstalledStack) -> None:
    endpoint_id = add()
    before = stored(stack, endpoint_id)
    printed = document(examhook("endpoints", "rotate-secret", endpoint_id, "--json"))
    after = stored(stack, endpoint_id)
    assert stack.world.key.open(endpoint_id, after.sealed_secret) == printed["secret"]
    assert after.previous_sealed_secret == before.sealed_secret
    assert abs((after.previous_secret_until or 0) - stack.world.clock.at - 86_400) < 600
    assert "old secret signs until" in examhook("endpoints", "show", endpoint_id).out


def test_a_rotation_within_an_overlap_says_until_when_the_old_secret_signs(stack: InstalledStack) -> None:
    endpoint_id = add()
    assert examhook("endpoints", "rotate-secret", endpoint_id).exit_code == 0
    until = stored(stack, endpoint_id).previous_secret_until
    refused = examhook("endpoints", "rotate-secret", endpoint_id, "--overlap", "1h")
    assert (refused.exit_code, refused.out) == (1, "")
    assert f"signs until {datetime.fromtimestamp(until or 0, UTC):%Y-%m-%dT%H:%M:%SZ}" in refused.err
    assert examhook("endpoints", "rotate-secret", endpoint_id, "--overlap", "0").exit_code == 0


def test_a_rotation_without_overlap_says_so(stack: InstalledStack) -> None:
    endpoint_id = add()
    finished = examhook("endpoints", "rotate-secret", endpoint_id, "--overlap", "0")
    assert finished.exit_code == 0
    assert "No earlier secret signs" in finished.err
    assert stored(stack, endpoint_id).previous_sealed_secret is None


@pytest.mark.parametrize("overlap", ["8d", "169h", "soon", "-1h", ""])
@pytest.mark.usefixtures("stack")
def test_an_overlap_beyond_a_week_is_wrong_usage(overlap: str) -> None:
    assert examhook("endpoints", "rotate-secret", add(), "--overlap", overlap).exit_code == 2


@pytest.mark.parametrize("command", [["update", "--description", "x"], ["enable"], ["disable"], ["rotate-secret"]])
@pytest.mark.usefixtures("stack")
def test_a_change_of_what_is_not_there_is_refused(command: list[str]) -> None:
    name, *options = command
    finished = examhook("endpoints", name, "ep_none", *options)
    assert finished.exit_code == 1
    assert finished.err == "Endpoint ep_none does not exist: see examhook endpoints list.\n"
