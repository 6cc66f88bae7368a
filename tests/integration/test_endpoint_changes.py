"""What changed of an endpoint is what its next attempt is made with."""

from __future__ import annotations

import json

import pytest
import standardwebhooks
import svix

from examhook.delivery.custom_headers import BadHeaderError
from examhook.delivery.endpoint import ContentType, Endpoint, Privacy
from examhook.workflows.administration.endpoint_changes import (
    EndpointChanges,
    EndpointGoneError,
    OverlapRunningError,
    ParameterDecidesError,
    SecretReplacedError,
    enable_endpoint,
    rotate_secret,
    update_endpoint,
)
from examhook.workflows.administration.endpoints import add_endpoint, ensure_configured_endpoints
from tests.support.delivery.delivery_stack import World
from tests.support.delivery.scripted_server import answer, scripted_server

HOUR_S = 3600


def update(world: World, endpoint: Endpoint, changes: EndpointChanges) -> Endpoint:
    return update_endpoint(endpoint, changes, world.endpoints, world.key, allow_http=True, allow_private=True)


def rotate(world: World, endpoint: Endpoint, overlap_s: int) -> str:
    secret, _ = rotate_secret(endpoint, overlap_s, world.endpoints, world.key, now=world.clock.now)
    return secret


def verified_by(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(body, headers)
        svix.Webhook(secret).verify(body, headers)
    except (standardwebhooks.WebhookVerificationError, svix.WebhookVerificationError):
        return False
    return True


def test_during_the_overlap_receivers_of_either_secret_accept_and_then_only_of_the_new(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, old = world.endpoint(receiver.url)
        new = rotate(world, endpoint, HOUR_S)
        world.deliver(world.delivery(endpoint, 1))
        world.clock.at += HOUR_S - 1
        world.deliver(world.delivery(endpoint, 2))
        world.clock.at += 1
        world.deliver(world.delivery(endpoint, 3))
    # Receivers refuse old timestamps, and this clock runs ahead of theirs: only the first and the count are checked.
    first = receiver.requests[0]
    assert verified_by(old, first.body, first.headers)
    assert verified_by(new, first.body, first.headers)
    signatures = [request.headers["webhook-signature"].split() for request in receiver.requests]
    assert [len(each) for each in signatures] == [2, 2, 1]


def test_without_an_overlap_the_old_secret_stops_at_once(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, old = world.endpoint(receiver.url)
        new = rotate(world, endpoint, 0)
        world.deliver(world.delivery(endpoint))
    (request,) = receiver.requests
    assert verified_by(new, request.body, request.headers)
    assert not verified_by(old, request.body, request.headers)


def test_of_two_rotations_at_once_one_is_refused_and_no_secret_lost(world: World) -> None:
    endpoint, old = world.endpoint("http://127.0.0.1:9/")
    new = rotate(world, endpoint, HOUR_S)
    with pytest.raises(SecretReplacedError):
        rotate(world, endpoint, HOUR_S)
    stored = world.known(endpoint)
    assert stored.previous_sealed_secret is not None
    opened = [
        world.key.open(stored.endpoint_id, each) for each in (stored.sealed_secret, stored.previous_sealed_secret)
    ]
    assert opened == [new, old]


def test_a_second_rotation_within_the_overlap_is_refused_and_every_promise_kept(world: World) -> None:
    """Whatever comes of it: a receiver that holds a secret which was promised verifies until the promise ends."""
    with scripted_server(answer()) as receiver:
        endpoint, old = world.endpoint(receiver.url)
        new = rotate(world, endpoint, HOUR_S)
        world.clock.at += HOUR_S - 1
        with pytest.raises(OverlapRunningError, match=r"signs until 20.*--overlap 0"):
            rotate(world, world.known(endpoint), HOUR_S)
        stored = world.known(endpoint)
        assert stored.previous_sealed_secret is not None
        sealed = (stored.sealed_secret, stored.previous_sealed_secret)
        assert [world.key.open(stored.endpoint_id, each) for each in sealed] == [new, old]
        world.clock.at += 1
        rotate(world, world.known(endpoint), HOUR_S)
        world.deliver(world.delivery(endpoint))
    (request,) = receiver.requests
    assert len(request.headers["webhook-signature"].split()) == 2


def test_a_rotation_without_overlap_forgets_the_one_before_too(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    rotate(world, endpoint, HOUR_S)
    rotate(world, world.known(endpoint), 0)
    stored = world.known(endpoint)
    assert (stored.previous_sealed_secret, stored.previous_secret_until) == (None, None)


def test_its_own_headers_go_with_each_request_and_never_replace_ours(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, secret = world.endpoint(receiver.url)
        changed = update(world, endpoint, EndpointChanges(headers={"Authorization": "Bearer the-token", "X-A": "b"}))
        assert world.known(endpoint) == changed
        world.deliver(world.delivery(endpoint))
    (request,) = receiver.requests
    assert (request.headers["authorization"], request.headers["x-a"]) == ("Bearer the-token", "b")
    assert request.headers["content-type"] == "application/json"
    assert verified_by(secret, request.body, request.headers)
    assert changed.header_names == ("Authorization", "X-A")
    assert b"the-token" not in (changed.sealed_headers or b"")
    assert "the-token" not in repr(changed)
    assert "the-token" not in repr(EndpointChanges(headers={"Authorization": "Bearer the-token"}))


def test_the_content_type_is_json_unless_the_endpoint_asks_for_that_of_cloudevents(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        for nth, content_type in enumerate((None, ContentType.CLOUDEVENTS, ContentType.JSON), 1):
            update(world, world.known(endpoint), EndpointChanges(content_type=content_type))
            world.deliver(world.delivery(endpoint, nth))
    assert [request.headers["content-type"] for request in receiver.requests] == [
        "application/json",
        "application/cloudevents+json",
        "application/json",
    ]


def test_headers_are_replaced_as_a_whole_and_taken_away(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    update(world, endpoint, EndpointChanges(headers={"X-A": "b"}))
    update(world, world.known(endpoint), EndpointChanges(description="others stay"))
    assert world.known(endpoint).header_names == ("X-A",)
    update(world, world.known(endpoint), EndpointChanges(headers={}))
    stored = world.known(endpoint)
    assert (stored.header_names, stored.sealed_headers) == ((), None)


def test_a_bad_header_changes_nothing(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    with pytest.raises(BadHeaderError):
        update(world, endpoint, EndpointChanges(description="new", headers={"webhook-id": "x"}))
    assert world.known(endpoint) == endpoint


def test_a_profile_holds_from_the_next_attempt_on_and_repeats_are_the_same(world: World) -> None:
    with scripted_server(
        answer("", "500 Internal Server Error"), answer("", "500 Internal Server Error"), answer()
    ) as one:
        endpoint, secret = world.endpoint(one.url)
        update(world, endpoint, EndpointChanges(privacy=Privacy.PSEUDONYMOUS))
        message = world.delivery(endpoint)
        world.deliver(message)
        rotate(world, world.known(endpoint), HOUR_S)
        ((again, _),) = world.enqueued()
        world.deliver(again)
    first, second = one.requests
    assert first.body == second.body
    assert b"Mei Chen" not in first.body
    assert first.headers["webhook-id"] == json.loads(first.body)["id"] != message.event_id
    assert verified_by(secret, first.body, first.headers)


def test_going_back_to_pseudonyms_makes_the_same_ones(world: World) -> None:
    endpoint, _ = add_endpoint(
        "https://a.example/",
        world.endpoints,
        world.key,
        world.clock.now,
        changes=EndpointChanges(privacy=Privacy.PSEUDONYMOUS),
    )
    assert endpoint.sealed_pseudonym_key
    update(world, endpoint, EndpointChanges(privacy=Privacy.FULL))
    update(world, world.known(endpoint), EndpointChanges(privacy=Privacy.PSEUDONYMOUS))
    assert world.known(endpoint).sealed_pseudonym_key == endpoint.sealed_pseudonym_key


def test_an_update_leaves_health_secret_and_status_alone(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.record_outcome(endpoint.endpoint_id, 5, "answered 500")
    world.endpoints.disable(endpoint.endpoint_id, "by hand", at=6)
    before = world.known(endpoint)
    after = update(
        world, endpoint, EndpointChanges(url="http://127.0.0.1:10/", types=("submission.*",), exam_ids=("1",))
    )
    stored = world.known(endpoint)
    assert (stored.url, stored.types, stored.exam_ids) == (after.url, after.types, after.exam_ids)
    assert (stored.health, stored.status, stored.sealed_secret) == (before.health, before.status, before.sealed_secret)


def test_an_endpoint_that_is_gone_is_not_brought_back(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.remove(endpoint.endpoint_id)
    with pytest.raises(EndpointGoneError):
        update(world, endpoint, EndpointChanges(description="late"))
    assert world.endpoints.list_all() == []


def test_the_parameter_decides_on_url_and_presence_of_its_own_endpoints(world: World) -> None:
    def ensure(*urls: str) -> list[Endpoint]:
        return ensure_configured_endpoints(urls, world.endpoints, world.key, world.clock.now)

    (endpoint,) = ensure("https://a.example/")
    with pytest.raises(ParameterDecidesError):
        update(world, endpoint, EndpointChanges(url="https://b.example/"))
    update(world, endpoint, EndpointChanges(privacy=Privacy.THIN))
    assert ensure("https://a.example/")[0].privacy is Privacy.THIN
    ensure()
    with pytest.raises(ParameterDecidesError):
        enable_endpoint(world.known(endpoint), world.endpoints, world.deliveries)


def test_enabling_forgets_the_failures_and_lets_what_waited_flow(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    for nth in (1, 2, 3):
        world.deliver(world.delivery(endpoint, nth))
    world.enqueued()
    world.endpoints.disable(endpoint.endpoint_id, "by hand", at=1)
    assert world.retry().enqueued == 0
    assert enable_endpoint(world.known(endpoint), world.endpoints, world.deliveries)
    assert not enable_endpoint(world.known(endpoint), world.endpoints, world.deliveries)
    assert not world.known(endpoint).health.is_down
    assert world.retry().enqueued == 3
