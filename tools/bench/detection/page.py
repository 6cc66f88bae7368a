"""The section about detection in docs/benchmarks.md."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Sequence

from examhook.detection.intervals import ROTATION_S
from tools.bench.detection.figures import Run
from tools.bench.detection.function_page import function_section
from tools.bench.detection.goals import ComparedGoal
from tools.bench.detection.lambda_sized import memory_of_poll, share_of_core
from tools.bench.detection.product import FASTEST_PER_SECOND, POLL_SECONDS
from tools.bench.report import machine, yes_or_no
from tools.markdown import markdown_table
from tools.processes import PROJECT

_HEAD = (
    "measure",
    "requests + json",
    "naive script",
    "dlt, scd2 on DuckDB",
    "target",
    "Examhook, newest first",
    "oldest first",
    "met",
)


def page(run: Run, goals: Sequence[ComparedGoal]) -> str:
    """Return the whole section."""
    scale, contact, large = run.scale, run.contact, run.large
    quiet = large.newest.quiet
    return f"""## Detection

Measured by `make bench` in {run.whole_run_s / 60:.0f} minutes, on commit {_commit()}, on
{machine()}.
Processor times and ratios are comparable within one run. On a busy machine, durations are longer.

The provider is simulated: {scale.exams} exams of {scale.rows:,} attempts each, read in pages of 100 over real sockets.
The result link of a row differs in every answer. The emulator of the local stack provides DynamoDB. Each measured
program, the provider and the emulator run in separate processes. Polls are {POLL_SECONDS} seconds apart, which is the
default.

{_table(goals)}

¹ The script compares the {scale.busy} busy exams; its reads are scaled up to {scale.exams}.
² One more request for each list, because an empty page proves its end.

How each figure is measured:

- **No changes:** {len(quiet.polls)} polls, one rotation through the exams. The figure is that of most polls: one page
  of the exam list, and one exam that is due in the rotation (two requests with the oldest rows first, because they
  prove the end of its rows). With the newest rows first, a poll makes {quiet.mean(lambda each: each.requests):.1f}
  requests on average and uses {quiet.mean(lambda each: each.read_units):.1f} DynamoDB read units and
  {quiet.mean(lambda each: each.write_units):.1f} write units. Every five minutes one further request proves where the
  exam list ends.
- **50 changes:** one poll, {POLL_SECONDS} seconds after the one before. In each of the {scale.busy} busy exams five
  attempts end and five start. If all exams are busy, one attempt ends in each exam of one half and one starts in each
  exam of the other half. No full scan is due. Every event of the poll is compared with the changes at the provider.
- **Events:** the measured polls had {_happened(run)} changes to announce.
- **Oldest first:** the same account two hours later. The provider has reversed the order of its rows, and one full scan
  has read the new order.
- **Too many requests, moving rows, SIGKILL, links in dlt:** another account, with {scale.small_rows} attempts in each
  of {scale.small_exams - scale.small_larger} exams and {scale.rows:,} in each of {scale.small_larger}.
- **Too many requests:** a full scan at 8 requests/s. The token bucket, the usual rate limiter, holds 8 tokens, gains 8
  per second, and sends as many requests.
- **Moving rows:** during a full scan of each of {run.drifted.exams} exams, newest first, a row that was already read is
  deleted, and later a candidate submits. This happens twice, for dlt once. After two scans without changes,
  {run.drifted.true_removals} of the {2 * run.drifted.exams} deleted rows were announced as removed.
- **SIGKILL:** the process is killed {run.interrupted.kills} times during the first contact. In total it requests
  {run.interrupted.pages} pages instead of {run.interrupted.pages_needed}. The figure is the mean per kill.
- **Processor time of a full scan:** of the whole process, the median of {scale.scans} pairs of scans. dlt is measured
  without links, because it would record them as changes.
- **Processor time per row of a first contact:** {large.first.cpu_s:.1f} s of the whole process to fetch, parse, compare
  and write {large.first.rows:,} rows.
- **First contact at {FASTEST_PER_SECOND:g} requests/s:** {large.paced_first.requests} requests in
  {large.paced_first.wall_s:.0f} s, with {memory_of_poll()} MB and {share_of_core(memory_of_poll()):.2f} of a core. Part
  of this time the poll waits for the emulator.
- **Units:** the emulator counts write units by item size, as DynamoDB does. Read units follow DynamoDB's rules and are
  computed from the items in the answers.
- **Memory:** the peak of the process in a first contact, in polls with and without changes, and in full scans.
- **{scale.many_exams:,} exams:** of {scale.many_rows:,} attempts each. Writing a million attempts into the emulator
  takes long, so the state after a first contact is written straight into the tables: the states of all exams, and the
  attempts on the first page of the busy exams. The timed poll makes {run.many.paced.requests} requests and finds
  {run.many.paced.events.total()} changes. No exam is due in the rotation during these polls; with this number of
  exams, the rotation adds {_rotation_requests(scale.many_exams)} requests to each poll.
- **A first contact over several polls:** {scale.many_exams:,} exams of {scale.contact_rows} attempts each. Each poll
  has time for {scale.contact_requests} requests. The first contact takes {contact.polls} polls and {contact.requests:,}
  requests. Before it, in the middle of each poll and after each poll, an attempt starts in each of
  {scale.many_busy} exams across the list, and the running attempts end. The {contact.rows:,} attempts that ended before
  are old results; {contact.ended} ended during the first contact. {contact.expected} events are required: those ends,
  and the starts of attempts that still run. {contact.announced} of them were announced, and also
  {contact.seen_running} starts of attempts that a poll saw running.

{function_section(run)}
"""


def _rotation_requests(exams: int) -> int:
    return math.ceil(exams * POLL_SECONDS / ROTATION_S)


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    argv = [git, "rev-parse", "--short=7", "HEAD"]
    found = subprocess.run(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - fixed
    return found.stdout.strip() or "unknown"


def _table(goals: Sequence[ComparedGoal]) -> str:
    return markdown_table(
        _HEAD,
        [
            (
                goal.measure,
                goal.floor,
                goal.naive,
                goal.dlt,
                goal.target,
                goal.measured,
                goal.oldest_first,
                yes_or_no(met=goal.met),
            )
            for goal in goals
        ],
    )


def _happened(run: Run) -> str:
    return f"{sum(steady.check.happened for steady in run.orders) + run.many.check.happened:,}"
