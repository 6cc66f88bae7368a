"""Measures the AWS usage of the functions and writes docs/cost.md; run by ``make cost``.

moto mocks AWS, and the simulator is the provider. ``tools/generate/meter.py`` counts every call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import cast

import pytest

from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.detection.intervals import ROTATION_S
from examhook.handlers import poll as poll_entry
from examhook.handlers import retry as retry_entry
from examhook.storage.deliveries import DeliveriesTable
from examhook.wiring.deliver import build_deliver
from examhook.workflows.polling.report import ReportBody
from examhook_cli.listener.server import running_listener
from examhook_simulator.facts import AttemptRef
from tests.support.dispatch.dispatch_stack import invoke
from tests.support.dispatch.watched_stack import Context, WatchedStack, watched_stack
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS
from tools.generate.cost_page import page
from tools.generate.meter import Measured, Meter, Units
from tools.processes import PROJECT

PAGE = PROJECT / "docs" / "cost.md"
_EVENTS = 50


def measured() -> Measured:
    """Measure all units."""
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patch, running_listener([]) as listener, watched_stack(patch) as watched:
        patch.setenv("WEBHOOK_URLS", listener.url)
        watched.world.advance(time.time() - watched.world.now())
        return _measured(watched, patch)


def _measured(watched: WatchedStack, patch: pytest.MonkeyPatch) -> Measured:
    meter, world = Meter(), watched.world
    meter.attach()
    exam_id = world.create_exam()
    watched.poll()
    one = _quiet(watched, meter)
    for _ in range(20):
        world.create_exam()
    watched.poll()
    many = _quiet(watched, meter)
    rotation = _rotation(watched, meter, many)
    refs = list(_start(watched, exam_id))
    _poll(meter)
    starts = meter.units().per(_EVENTS)
    for ref in refs:
        world.submit(ref)
    world.advance(60)
    _poll(meter)
    ends = meter.units().per(_EVENTS)
    records = [
        record
        for record in watched._stream()  # noqa: SLF001
        if record["dynamodb"].get("NewImage", {}).get("announce") == {"BOOL": True}
    ]
    meter.reset()
    for start in range(0, len(records), 10):
        assert invoke({"Records": records[start : start + 10]}) == {"batchItemFailures": []}  # noqa: S101
    event = meter.units().per(len(records))
    day_index_units = meter.index_units[EVENTS] / len(records)
    return Measured(
        quiet_poll=one,
        exam_in_quiet_poll=many.minus(one).per(20),
        rotation=rotation,
        submission=starts.minus(many.per(_EVENTS)).plus(ends.minus(many.per(_EVENTS))),
        event=event,
        day_index_units=day_index_units,
        delivery=_deliveries(watched, meter, patch),
        retry_tick=_retry(meter, patch),
    )


def _start(watched: WatchedStack, exam_id: str) -> Iterator[AttemptRef]:
    for _ in range(_EVENTS):
        watched.world.advance(1)
        yield watched.world.start(exam_id)


def _quiet(watched: WatchedStack, meter: Meter) -> Units:
    """Measure a poll long after the last change, in which no exam is due."""
    watched.world.advance(7200)
    watched.poll()
    # Poll until the rotation has read every exam.
    watched.world.advance(1)
    while _poll(meter):
        watched.world.advance(1)
    return meter.units()


def _rotation(watched: WatchedStack, meter: Meter, quiet: Units) -> Units:
    """Measure what each exam adds that is due in the rotation."""
    watched.world.advance(ROTATION_S)
    exams = _poll(meter)
    return meter.units().minus(quiet).per(exams)


def _poll(meter: Meter) -> int:
    """Measure one poll; return the number of exams that it read."""
    meter.reset()
    report = cast("ReportBody", poll_entry.handler({"trigger": "schedule"}, Context(remaining_s=300)))
    assert report["complete"], report  # noqa: S101 - figures of an incomplete poll mean nothing
    return report["exams"]


def _deliveries(watched: WatchedStack, meter: Meter, patch: pytest.MonkeyPatch) -> Units:
    settings = {
        "ATTEMPT_DEADLINE_SECONDS": "5",
        "ALLOW_HTTP_ENDPOINTS": "true",
        "ALLOW_PRIVATE_ENDPOINTS": "true",
        "DELIVERIES_TABLE": DELIVERIES,
        "EVENTS_TABLE": EVENTS,
        "ENDPOINTS_TABLE": ENDPOINTS,
    }
    for name, value in settings.items():
        patch.setenv(name, value)
    workflow = build_deliver(os.environ)
    waiting = DeliveriesTable(watched.dynamodb, DELIVERIES).list_for(limit=_EVENTS)
    meter.reset()
    for each in waiting:
        workflow.process(DeliveryMessage(each.endpoint_id, each.event_id, 1))
    return meter.units().per(len(waiting))


def _retry(meter: Meter, patch: pytest.MonkeyPatch) -> Units:
    patch.setenv("DISABLE_AFTER_DAYS", "5")
    meter.reset()
    retry_entry.handler({"trigger": "schedule"}, None)
    return meter.units()


if __name__ == "__main__":
    PAGE.write_text(page(measured()))
