"""docs/examples/verify.py reports events that have not come, and none that the endpoint's filter excludes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.detection.transition import Change, Observation, change_from, change_from_absence
from examhook.events.build import Event, submission_event
from examhook.model import Attempt, Submission
from tests.support.events.model_values import STARTED_AT, exam

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "verify.py"
DEFAULT = Endpoint("ep_1", "https://example.com", b"", EndpointOrigin.CLI, 0)
STATUSES = st.lists(st.sampled_from([0, 1, 2, 3, 4, 7, None]), min_size=1, max_size=8)


def fresh() -> ModuleType:
    """The example, knowing nothing."""
    spec = spec_from_file_location("verify_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXAMHOOK_SECRET", "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0LW9ubHkh")
        spec.loader.exec_module(module)
    return module


def bodies(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [json.loads(event.body) for event in events]


def history(statuses: Sequence[int | None]) -> list[Event]:
    """The events of an attempt that is seen in these statuses; None: deleted."""
    stored: Submission | None = None
    events: list[Event] = []
    for nth, status in enumerate(statuses):
        at = STARTED_AT + 3600 * (nth + 1)
        # A removal needs two scans; a second look at the same row changes nothing.
        for fence in (2 * nth + 1, 2 * nth + 2):
            observation = Observation("main", exam(), observed_at=at, fence=fence)
            change: Change | None = None
            if status is not None:
                row = Attempt("19382", STARTED_AT, status, "Mei Chen", ended_at=at if status else None)
                change = change_from(stored, row, observation)
            elif stored is not None:
                change = change_from_absence(stored, observation)
            if change is not None:
                stored = change.after
                if change.announces:
                    events.append(submission_event(stored, stored.transitions[-1]))
    return events


@given(STATUSES, st.randoms())
def test_an_endpoint_without_types_misses_nothing_when_everything_came(statuses: list[int | None], rng: Any) -> None:
    receiver = fresh()
    came = bodies([event for event in history(statuses) if DEFAULT.wants(event)])
    rng.shuffle(came)
    for event in came:
        receiver.is_news(event)
    assert receiver.missing == set()


@given(STATUSES, st.data())
def test_an_endpoint_with_all_types_knows_each_event_that_has_not_come(
    statuses: list[int | None], data: st.DataObject
) -> None:
    receiver = fresh()
    receiver.GETS_STARTED = True  # type: ignore[attr-defined]
    events = bodies(history(statuses))
    lost = data.draw(st.sets(st.sampled_from(range(len(events) - 1)))) if len(events) > 1 else set()
    for nth, event in enumerate(events):
        if nth not in lost:
            receiver.is_news(event)
    named = {event["previousid"] for nth, event in enumerate(events) if "previousid" in event and nth not in lost}
    assert receiver.missing == named & {events[nth]["id"] for nth in lost}
    for nth in lost:
        receiver.is_news(events[nth])
    assert receiver.missing == set()


def test_a_lost_result_is_missing_at_an_endpoint_without_types() -> None:
    receiver = fresh()
    started, submitted, forced = bodies(history([0, 1, 3]))
    assert receiver.is_news(forced)
    assert receiver.missing == {submitted["id"]}
    assert not receiver.is_news(submitted), "an older event is no news"
    assert receiver.missing == set(), "and names submission.started, which the filter excludes"
    assert submitted["previousid"] == started["id"]
