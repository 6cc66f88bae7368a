"""Metrics of a poll, whether a tick, an operator or a backfill started it."""

from __future__ import annotations

import os

from examhook.metrics import Metric, write_metrics
from examhook.workflows.polling.report import PollReport


def write_poll_metrics(report: PollReport, account: str) -> None:
    """Write the metrics of one poll, unless another poll of the account was running."""
    if report.skipped:
        return
    write_metrics(
        os.environ,
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
