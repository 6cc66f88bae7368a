"""Control of a running simulator over HTTP. Methods have the names of those of ``World``.

::

    SimulatorControlError    the simulator refuses the request (do not retry) or does not run
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import requests

from examhook_simulator.facts import AttemptCount, AttemptRef, LedgerEntry, RequestRecord, TruthRow
from examhook_simulator.json_fields import Fields, FieldsError, attempt_ref, ledger_entry, request_record, truth_row

_TIMEOUT_S = (5.0, 60.0)

Given = str | int | float | bool | None


class SimulatorControlError(RuntimeError):
    """The simulator refused the request or does not answer; the message says which."""


@dataclass(frozen=True, slots=True)
class LimitFigures:
    """Rate limit and its use."""

    per_second: int | None
    refused: int
    most_in_a_second: int


class SimulatorControl:
    """The control endpoint of the simulator at ``base_url``. Not safe for threads."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url.rstrip('/')}/_sim/"
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def now(self) -> int:
        """Return the virtual time in Unix seconds."""
        return self._get("clock").whole("now")

    def advance(self, seconds: float) -> int:
        """Move the clock ahead; return the new time."""
        return self._post("advance", seconds=seconds).whole("now")

    def run_at(self, speed: float) -> None:
        """Let the clock run at ``speed`` virtual seconds per real second; 0 stops it."""
        self._post("run_at", speed=speed)

    def live(self, per_minute: float) -> None:
        """Set the number of live candidates per virtual minute; 0 ends it."""
        self._post("live", per_minute=per_minute)

    def create_exam(
        self,
        title: str | None = None,
        *,
        category: str | None = None,
        available: bool = True,
        counts: AttemptCount = AttemptCount.STARTS,
    ) -> str:
        """Create an exam; return its id."""
        return self._post("create_exam", title=title, category=category, available=available, counts=counts).text(
            "exam_id"
        )

    def open_exam(self, exam_id: str) -> None:
        """Make an exam available."""
        self._post("open_exam", exam_id=exam_id)

    def close_exam(self, exam_id: str) -> None:
        """Make an exam unavailable."""
        self._post("close_exam", exam_id=exam_id)

    def set_attempt_count(self, counts: AttemptCount, exam_id: str | None = None) -> None:
        """Change what ``times`` counts, for one exam or for all."""
        self._post("set_attempt_count", counts=counts, exam_id=exam_id)

    def populate(self, exam_id: str, attempts: int, until: int | None = None) -> tuple[AttemptRef, ...]:
        """Add attempts that ended before ``until`` (default: a second ago)."""
        answer = self._post("populate", exam_id=exam_id, attempts=attempts, until=until)
        return tuple(attempt_ref(fields) for fields in answer.objects("attempts"))

    def start(self, exam_id: str, candidate_id: str | None = None, name: str | None = None) -> AttemptRef:
        """Start an attempt of a candidate (default: a new one)."""
        return attempt_ref(self._post("start", exam_id=exam_id, candidate_id=candidate_id, name=name))

    def submit(self, ref: AttemptRef, score: float | None = None) -> None:
        """Submit an attempt (default: with a random score)."""
        self._about("submit", ref, score=score)

    def time_out(self, ref: AttemptRef, score: float | None = None) -> None:
        """Time an attempt out."""
        self._about("time_out", ref, score=score)

    def force(self, ref: AttemptRef, score: float | None = None) -> None:
        """Force-submit an attempt."""
        self._about("force", ref, score=score)

    def system_submit(self, ref: AttemptRef, score: float | None = None) -> None:
        """End an attempt with the status of a system submission."""
        self._about("system_submit", ref, score=score)

    def change_status(self, ref: AttemptRef, status: int) -> None:
        """Give an ended attempt another final status; score and end time stay."""
        self._about("change_status", ref, status=status)

    def mark(self, ref: AttemptRef, score: float) -> None:
        """Rescore an ended attempt."""
        self._about("mark", ref, score=score)

    def reopen(self, ref: AttemptRef) -> None:
        """Reopen an ended attempt."""
        self._about("reopen", ref)

    def remove(self, ref: AttemptRef) -> None:
        """Delete an attempt."""
        self._about("remove", ref)

    def quirk_on(self, switch: str, *, exam_id: str | None = None, task: str | None = None) -> None:
        """Switch a quirk on for all requests, one exam or one task; ``switch`` is as in ``Switch.parse``."""
        self._post("quirk_on", switch=switch, exam_id=exam_id, task=task)

    def quirk_off(self, quirk: str | None = None) -> None:
        """Switch one quirk off, or all."""
        self._post("quirk_off", quirk=quirk)

    def set_limit(self, per_second: int | None) -> None:
        """Change the rate limit; None removes it."""
        self._post("set_limit", per_second=per_second)

    def limit(self) -> LimitFigures:
        """Return the rate limit and its use since the start."""
        fields = self._get("limit")
        per_second = fields.whole("per_second") if fields.has("per_second") else None
        return LimitFigures(per_second, fields.whole("refused"), fields.whole("most_in_a_second"))

    def ledger(self, after: int = 0) -> tuple[LedgerEntry, ...]:
        """Return the ledger entries after number ``after``."""
        return tuple(ledger_entry(fields) for fields in self._get("ledger", after=str(after)).objects("entries"))

    def truth(self, exam_id: str | None = None) -> tuple[TruthRow, ...]:
        """Return the true state of every attempt."""
        params = {} if exam_id is None else {"exam_id": exam_id}
        return tuple(truth_row(fields) for fields in self._get("truth", **params).objects("rows"))

    def requests(self, after: int = 0) -> tuple[RequestRecord, ...]:
        """Return the requests to the provider's API after number ``after``."""
        return tuple(request_record(fields) for fields in self._get("requests", after=str(after)).objects("requests"))

    def _about(self, act: str, ref: AttemptRef, **more: Given) -> None:
        self._post(act, exam_id=ref.exam_id, candidate_id=ref.candidate_id, started_at=ref.started_at, **more)

    def _get(self, what: str, **params: str) -> Fields:
        return self._ask("GET", what, params=params, given=None)

    def _post(self, act: str, **given: Given) -> Fields:
        return self._ask("POST", act, params={}, given=given)

    def _ask(self, method: str, what: str, *, params: Mapping[str, str], given: Mapping[str, Given] | None) -> Fields:
        try:
            answer = self._session.request(method, self._url + what, params=params, json=given, timeout=_TIMEOUT_S)
            fields = Fields.parse(answer.content)
        except (requests.RequestException, FieldsError) as error:
            raise SimulatorControlError(f"No simulator answers at {self._url}") from error
        if not answer.ok:
            raise SimulatorControlError(fields.text("error") if fields.has("error") else f"status {answer.status_code}")
        return fields
