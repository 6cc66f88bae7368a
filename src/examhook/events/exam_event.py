"""Events about exams: the same facts always make the same bytes."""

from __future__ import annotations

from examhook.events.body import AvailabilityBody, ExamBody, VerificationBody, VerifiedBody
from examhook.events.build import Event
from examhook.events.envelope import enveloped, exam_source, instant
from examhook.model import STATUS_NAMES, Exam, ExamTransition, Receipt, status_name

_RECEIPTS = "verification"
"""Subject of receipts, so that a newer receipt does not make an opening or closing stale, nor the reverse."""


def exam_event(account: str, exam: Exam, transition: ExamTransition) -> Event:
    """The event that announces ``transition`` of an exam; raises UnwritableInstantError."""
    body = enveloped(
        {**_data(account, exam, transition)},
        event_id=transition.event_id,
        event_type=transition.event_type,
        source=exam_source(account, exam.exam_id),
        subject=None if transition.receipt is None else _RECEIPTS,
        at=transition.observed_at,
        revision=transition.sequence,
        previous_id=transition.previous_id,
    )
    return Event(
        event_id=transition.event_id,
        event_type=transition.event_type,
        account=account,
        exam_id=exam.exam_id,
        status=None,
        occurred_at=transition.observed_at,
        observed_at=transition.observed_at,
        sequence=transition.sequence,
        previous_id=transition.previous_id,
        body=body,
    )


def _data(account: str, exam: Exam, transition: ExamTransition) -> AvailabilityBody | VerifiedBody:
    described: ExamBody = {
        "id": exam.exam_id,
        "title": exam.title,
        "url": exam.url,
        "category": exam.category,
    }
    if transition.receipt is not None:
        return {
            "account": account,
            "exam": described,
            "verification": _verification(transition.receipt),
            "observed_at": instant(transition.observed_at),
        }
    return {
        "account": account,
        "exam": described,
        "available": bool(transition.available),
        "previously_available": transition.previously_available,
        "observed_at": instant(transition.observed_at),
    }


def _verification(receipt: Receipt) -> VerificationBody:
    statuses = dict.fromkeys([*STATUS_NAMES.values(), status_name(-1)], 0)
    for status_code, count in receipt.status_counts.items():
        statuses[status_name(status_code)] += count
    return {
        "watermark": instant(receipt.watermark),
        "attempts": sum(receipt.status_counts.values()),
        "statuses": statuses,
        "digest": receipt.digest,
    }
