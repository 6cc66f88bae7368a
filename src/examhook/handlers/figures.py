"""The figures that every poll leaves, whoever asked for it."""

from __future__ import annotations

import os

from examhook.metrics import Meter, Metric
from examhook.workflows.polling.report import PollReport


def count_poll(report: PollReport, account: str) -> None:
    """Write the figures of one poll for the alarms and the dashboard."""
    if report.skipped:
        # The poll that runs says what becomes of it.
        return
    Meter.of(os.environ).write(
        {
            Metric.POLL_AGE: report.age_s,
            Metric.POLLS_REFUSED: report.refused,
            Metric.POLLS_FAILED: report.provider_failed,
            Metric.POLLS_OUT_OF_TIME: report.out_of_time,
            Metric.ROWS_SKIPPED: report.unannounced_rows,
            Metric.UNSENT_AGE: report.unsent_s,
        },
        account=account,
    )
