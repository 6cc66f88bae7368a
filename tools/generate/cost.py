"""Works out what an installation costs, from units that are measured here and now, and writes docs/cost.md.

Nothing but this machine is used: AWS is played by moto, the provider by the simulator, and every call of the functions
is counted (``tools/generate/meter.py``). Run by ``make cost``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.detection.intervals import ROTATION_S
from examhook.handlers import poll as poll_entry
from examhook.handlers import retry as retry_entry
from examhook.storage.deliveries import DeliveriesTable
from examhook.wiring.deliver import deliver
from examhook.workflows.polling.report import ReportBody
from examhook_cli.listener.server import running_listener
from examhook_simulator.facts import AttemptRef
from tests.support.dispatch.dispatch_stack import invoke
from tests.support.dispatch.watched_stack import Context, WatchedStack, watched_stack
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS
from tools.generate.cost_page import page
from tools.generate.cost_units import Measured, Units
from tools.generate.meter import Meter

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "cost.md"
_EVENTS = 50


def measured() -> Measured:
    """Measure all of it."""
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
    begun = _units(meter, _EVENTS)
    for ref in refs:
        world.submit(ref)
    world.advance(60)
    _poll(meter)
    ended = _units(meter, _EVENTS)
    records = [
        record
        for record in watched._stream()  # noqa: SLF001
        if record["dynamodb"].get("NewImage", {}).get("announce") == {"BOOL": True}
    ]
    meter.reset()
    for start in range(0, len(records), 10):
        assert invoke({"Records": records[start : start + 10]}) == {"batchItemFailures": []}  # noqa: S101
    event = _units(meter, len(records))
    day_index_units = meter.index_units[EVENTS] / len(records)
    return Measured(
        quiet_poll=one,
        exam_in_quiet_poll=_per(_minus(many, one), 20),
        rotation=rotation,
        submission=_plus(_minus(begun, _per(many, _EVENTS)), _minus(ended, _per(many, _EVENTS))),
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
    """A poll long after anything happened, in which no exam is due."""
    watched.world.advance(7200)
    watched.poll()
    # Until every exam had its turn in the rotation.
    watched.world.advance(1)
    while _poll(meter):
        watched.world.advance(1)
    return _units(meter, 1)


def _rotation(watched: WatchedStack, meter: Meter, quiet: Units) -> Units:
    """What each exam adds whose turn in the rotation came."""
    watched.world.advance(ROTATION_S)
    exams = _poll(meter)
    return _per(_minus(_units(meter, 1), quiet), exams)


def _poll(meter: Meter) -> int:
    """Poll once and count; how many exams were read."""
    meter.reset()
    report = cast("ReportBody", poll_entry.handler({"trigger": "schedule"}, Context(remaining_s=300)))
    assert report["complete"], report  # noqa: S101 - figures of half a poll mean nothing
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
    workflow = deliver(os.environ)
    waiting = DeliveriesTable(watched.dynamodb, DELIVERIES).list_for(limit=_EVENTS)
    meter.reset()
    for each in waiting:
        workflow.process(DeliveryMessage(each.endpoint_id, each.event_id, 1))
    return _units(meter, len(waiting))


def _retry(meter: Meter, patch: pytest.MonkeyPatch) -> Units:
    patch.setenv("DISABLE_AFTER_DAYS", "5")
    meter.reset()
    retry_entry.handler({"trigger": "schedule"}, None)
    return _units(meter, 1)


def _units(meter: Meter, count: int) -> Units:
    calls = meter.calls
    return Units(
        calls=calls.total() / count,
        write_units=meter.write_units / count,
        read_units=meter.read_units / count,
        sns=sum(calls[name] for name in calls if name.startswith("sns.")) / count,
        sqs=sum(calls[name] for name in calls if name.startswith("sqs.")) / count,
    )


def _per(units: Units, count: int) -> Units:
    return Units(*(getattr(units, name) / count for name in units.__dataclass_fields__))


def _minus(units: Units, less: Units) -> Units:
    return Units(*(max(0.0, getattr(units, name) - getattr(less, name)) for name in units.__dataclass_fields__))


def _plus(units: Units, more: Units) -> Units:
    return Units(*(getattr(units, name) + getattr(more, name) for name in units.__dataclass_fields__))


if __name__ == "__main__":
    PAGE.write_text(page(measured()))
