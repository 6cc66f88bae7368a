"""An account of many results that is known already, without the hours that it takes to write each of them.

What a first contact leaves is written straight into the tables: what is remembered of every exam, and of its results
those that a look at a busy exam's edge meets.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator

from bench.cloud import EXAMS, SUBMISSIONS, Cloud
from bench.provider import Provider
from examhook.detection.diff import diff
from examhook.detection.plan import ExamRequest, Reason
from examhook.detection.reconcile import Findings, remembered
from examhook.detection.transition import Observation
from examhook.detection.watch import RowOrder
from examhook.http.session import BoundedSession
from examhook.model import Exam
from examhook.provider.client import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import SubmissionsTable

PAGE = 100
_QUIET_S = 86_400
_LONGEST_DIGEST = (1 << 64) - 1
"""No poll without a full pass looks at it; it is as large as one gets."""


def know(cloud: Cloud, provider: Provider, account: str, busy: Collection[str]) -> None:
    """Let the account's exams be known, which ended a day ago; ``busy`` are those in which something is to happen."""
    client = LegacyClient(
        provider.url,
        provider.code,
        session=BoundedSession(),
        pacer=Pacer(10_000, time.monotonic, time.sleep),
        now=time.time,
        sleep=time.sleep,
        rng=random.Random(),  # noqa: S311 - jitter, not cryptography
    )
    exams, submissions = ExamsTable(cloud.dynamodb, EXAMS), SubmissionsTable(cloud.dynamodb, SUBMISSIONS)
    now = provider.control.now()
    exams.begin_watch(account, now, now)
    for exam in _listed(client, len(provider.exam_ids)):
        exams.remember(account, remembered(ExamRequest(exam, None, Reason.NEW), _findings(exam, now)), fence=0)
        if exam.exam_id in busy:
            circumstances = Observation(account, exam, observed_at=now, fence=0, silent_before=now)
            submissions.write(diff(client.results(exam.exam_id, 0, PAGE).rows, {}, circumstances))


def _listed(client: LegacyClient, exams: int) -> Iterator[Exam]:
    for start in range(0, exams, PAGE):
        yield from client.exams(start, PAGE).rows


def _findings(exam: Exam, now: int) -> Findings:
    rows = exam.takings or 0
    return Findings(
        began_at=now,
        complete=True,
        appeared=rows,
        ended=rows,
        rows=rows,
        open_attempts=(),
        open_depth=0,
        order=RowOrder.NEWEST,
        digest=_LONGEST_DIGEST,
        newest_at=now - _QUIET_S,
        whole=True,
        compared=True,
    )
