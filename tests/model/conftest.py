"""Limits that only matter to thousands of rows, cut to the size of the worlds played here."""

from __future__ import annotations

import pytest

from examhook.detection import intervals, scan_result
from examhook.provider import discovery
from examhook.workflows.polling import full_scan, incremental_scan
from tests.model.poller import FULL_SCAN_SECONDS


@pytest.fixture(autouse=True)
def _smaller_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_scan, "FIRST_SCAN_PAGES", 2)
    monkeypatch.setattr(full_scan, "HELD_PAGES", 3)
    monkeypatch.setattr(scan_result, "RUNNING_KEPT", 2)
    monkeypatch.setattr(intervals, "WEEK_S", 3 * FULL_SCAN_SECONDS)
    monkeypatch.setattr(incremental_scan, "MAX_PAGES", 3)
    monkeypatch.setattr(incremental_scan, "RUNNING_KEPT", 2)
    monkeypatch.setattr(discovery, "RECOUNT_INTERVAL_S", FULL_SCAN_SECONDS)
    monkeypatch.setattr(discovery, "REWALK_INTERVAL_S", 3 * FULL_SCAN_SECONDS)
