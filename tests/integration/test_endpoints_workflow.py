"""Endpoints of the stack's parameter and of a person's hand, and their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, EndpointStatus, parameter_endpoint_id
from examhook.delivery.signature import check_secret
from examhook.delivery.url import EndpointUrlError
from examhook.destinations.secrets import SecretsKey
from examhook.storage.endpoints import EndpointExistsError, EndpointsTable
from examhook.workflows.administration.endpoint_changes import EndpointChanges
from examhook.workflows.administration.endpoints import (
    EndpointDisabledError,
    add_endpoint,
    ensure_configured_endpoints,
    send_endpoint_test,
)
from tests.support.delivery.delivery_stack import REGION, World

A, B = "https://a.example/hook", "https://b.example/hook"


def ensure(world: World, urls: Sequence[str]) -> list[Endpoint]:
    return ensure_configured_endpoints(urls, world.endpoints, world.key, world.clock.now)


def test_endpoints_of_the_parameter_are_made_once_each_with_its_own_secret(world: World) -> None:
    made = ensure(world, [A, B, A])
    assert sorted(endpoint.url for endpoint in made) == [A, B]
    assert all(endpoint.origin is EndpointOrigin.PARAMETER for endpoint in made)
    secrets = {world.key.open(endpoint.endpoint_id, endpoint.sealed_secret) for endpoint in made}
    assert len({check_secret(secret) for secret in secrets}) == 2
    assert ensure(world, [B, A]) == made


def test_when_two_functions_make_the_same_endpoint_the_first_secret_stands(world: World) -> None:
    (first,) = ensure(world, [A])
    blind = _BlindOnce(world.endpoints)
    (second,) = ensure_configured_endpoints([A], blind, world.key, world.clock.now)
    assert second == first


def test_an_endpoint_whose_url_leaves_the_parameter_is_disabled_until_it_returns(world: World) -> None:
    ensure(world, [A, B])
    assert [endpoint.url for endpoint in ensure(world, [B])] == [B]
    left = world.endpoints.get(parameter_endpoint_id(A))
    assert left is not None
    assert (left.status, left.disabled_reason) == (
        EndpointStatus.DISABLED,
        "its URL is no longer in the stack's WebhookUrls",
    )
    returned = next(endpoint for endpoint in ensure(world, [A, B]) if endpoint.url == A)
    assert (returned.disabled_reason, returned.sealed_secret) == (None, left.sealed_secret)


def test_an_endpoint_that_was_disabled_for_another_reason_stays_so(world: World) -> None:
    (endpoint,) = ensure(world, [A])
    world.endpoints.disable(endpoint.endpoint_id, "answered 410 Gone", at=1)
    (stays,) = ensure(world, [A])
    assert (stays.is_enabled, stays.disabled_reason) == (False, "answered 410 Gone")


def test_the_parameter_does_not_touch_what_a_person_added(world: World) -> None:
    added, _ = world.endpoint("http://127.0.0.1:9/")
    assert ensure(world, []) == [added]


def test_an_added_endpoint_comes_back_whole(world: World) -> None:
    changes = EndpointChanges(types=("submission.*",), exam_ids=("7",), accounts=("main",), description="the registry")
    endpoint, secret = add_endpoint(A, world.endpoints, world.key, world.clock.now, changes=changes)
    assert world.endpoints.get(endpoint.endpoint_id) == endpoint
    assert world.key.open(endpoint.endpoint_id, endpoint.sealed_secret) == check_secret(secret)
    assert secret.encode() not in endpoint.sealed_secret


def test_the_same_url_may_be_added_twice(world: World) -> None:
    ids = {add_endpoint(A, world.endpoints, world.key, world.clock.now)[0].endpoint_id for _ in range(2)}
    assert len(ids) == 2


def test_an_endpoint_of_a_bad_url_is_not_added(world: World) -> None:
    with pytest.raises(EndpointUrlError):
        add_endpoint("http://127.0.0.1/", world.endpoints, world.key, world.clock.now)
    assert world.endpoints.list_all() == []


def test_an_id_is_given_once(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    with pytest.raises(EndpointExistsError):
        world.endpoints.add(replace(endpoint, description="another"))
    assert world.known(endpoint) == endpoint


def test_a_sealed_secret_opens_for_its_own_endpoint_only(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    with pytest.raises(ClientError):
        world.key.open("ep_another", endpoint.sealed_secret)


def test_an_opened_secret_is_remembered(world: World) -> None:
    endpoint, secret = world.endpoint("http://127.0.0.1:9/")
    kms = boto3.client("kms", region_name=REGION)
    key = SecretsKey(kms, world.key_arn)
    assert key.open(endpoint.endpoint_id, endpoint.sealed_secret) == secret
    with Stubber(kms):  # refuses any call
        assert key.open(endpoint.endpoint_id, endpoint.sealed_secret) == secret
    kms.close()


def test_removing_says_whether_there_was_anything_to_remove(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    assert [world.endpoints.remove(endpoint.endpoint_id) for _ in range(2)] == [True, False]


def test_an_attempts_outcome_does_not_bring_a_removed_endpoint_back(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.remove(endpoint.endpoint_id)
    assert world.endpoints.record_outcome(endpoint.endpoint_id, 1, "answered 500") is None
    assert world.endpoints.record_outcome(endpoint.endpoint_id, 1, None) is None
    assert world.endpoints.list_all() == []


def test_a_disabled_endpoint_gets_no_test(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.disable(endpoint.endpoint_id, "by hand", at=1)
    with pytest.raises(EndpointDisabledError, match="by hand"):
        send_endpoint_test(
            world.known(endpoint),
            events=world.events,
            deliveries=world.deliveries,
            queue=world.queue,
            now=world.clock.now,
            retention_days=30,
        )
    assert world.enqueued() == []


class _BlindOnce(EndpointsTable):
    """The table, as a function sees it that read it just before another wrote."""

    def __init__(self, table: EndpointsTable) -> None:
        self._client, self._table_name = table._client, table._table_name  # noqa: SLF001 - the same table
        self._looked = False

    def list_all(self) -> list[Endpoint]:
        if not self._looked:
            self._looked = True
            return []
        return super().list_all()
