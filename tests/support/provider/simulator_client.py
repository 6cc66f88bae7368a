"""Asking a simulator as a client of the provider would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from examhook_simulator.server import Simulator

EXAMS, RESULTS = "api.getExams", "api.queryResults"


@dataclass
class Asking:
    """Requests to the API of ``simulator`` over one session."""

    simulator: Simulator
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, task: str, **params: str | int) -> requests.Response:
        """Send one request for ``task``."""
        return self.send({"task": task, **params})

    def send(self, params: Mapping[str, str | int], timeout_s: float = 10) -> requests.Response:
        """Send one request, with the right code unless ``params`` contains another."""
        given = {"option": "com_exams", "format": "raw", "code": self.simulator.code, **params}
        return self.session.get(f"{self.simulator.base_url}/index.php", params=given, timeout=timeout_s)

    def rows(self, exam_id: str, **params: str | int) -> list[dict[str, object]]:
        """The rows of one exam's results."""
        rows: list[dict[str, object]] = self.ask(RESULTS, eid=exam_id, **params).json()
        return rows

    def exams(self, **params: str | int) -> list[dict[str, object]]:
        """The exams."""
        exams: list[dict[str, object]] = self.ask(EXAMS, **params).json()
        return exams
