"""A stack as the command line sees it: outputs from a fake AWS, everything else in moto."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from examhook.destinations.delivery_queue import DeliveryMessage
from tests.support.aws.aws_stand_in import AwsFront, running_aws_front
from tests.support.cli.command_line import CREDENTIALS
from tests.support.delivery.delivery_stack import World, delivery_world


@dataclass(frozen=True)
class InstalledStack:
    """The tables' content, and the outputs that name the tables."""

    world: World
    front: AwsFront

    def allow_local_receivers(self) -> None:
        """Deploy with AllowHttpEndpoints and AllowPrivateEndpoints."""
        self.front.outputs |= {"AllowHttpEndpoints": "true", "AllowPrivateEndpoints": "true"}


@contextmanager
def installed_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    """A stack ``examhook`` that commands find while the block runs."""
    with delivery_world() as world, running_aws_front() as front:
        front.outputs |= {"SecretsKeyArn": world.key_arn, "DeliveryQueueUrl": world.queue_url}
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_CLOUDFORMATION": front.url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("EXAMHOOK_STACK", raising=False)
        yield InstalledStack(world, front)


def deliver_while_it_waits(
    monkeypatch: pytest.MonkeyPatch, world: World, seen: Callable[[DeliveryMessage], None] = lambda _message: None
) -> None:
    """Whenever ``endpoints test`` waits, let Deliver work on the newest delivery instead of letting time pass."""

    def work(_seconds: float) -> None:
        newest = world.deliveries.list_for(limit=1)[0]
        message = DeliveryMessage(newest.endpoint_id, newest.event_id, newest.attempts + 1)
        seen(message)
        world.deliver(message)

    monkeypatch.setattr("examhook_cli.commands.endpoint_testing.sleep", work)
