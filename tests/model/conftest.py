"""Limits that only matter to thousands of rows, cut to the size of the worlds played here."""

from __future__ import annotations

import pytest
from model.poller import FULL_PASS_SECONDS

from examhook.detection import edge, reconcile, tally
from examhook.provider import discovery
from examhook.workflows import whole_pass


@pytest.fixture(autouse=True)
def _smaller_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_pass, "FIRST_SEGMENT_PAGES", 2)
    monkeypatch.setattr(whole_pass, "SEGMENT_PAGES", 3)
    monkeypatch.setattr(discovery, "RECOUNT_SECONDS", FULL_PASS_SECONDS)
    monkeypatch.setattr(discovery, "REWALK_SECONDS", 3 * FULL_PASS_SECONDS)
    monkeypatch.setattr(edge, "MAX_PAGES", 3)
    monkeypatch.setattr(reconcile, "OPEN_KEPT", 2)
    monkeypatch.setattr(tally, "OPEN_KEPT", 2)
    monkeypatch.setattr(reconcile, "DIGEST_SECONDS", 3 * FULL_PASS_SECONDS)
