"""The section about detection in docs/benchmarks.md."""

from __future__ import annotations

import math
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence

from examhook.detection.intervals import ROTATION_S
from tools.bench.child import PROJECT
from tools.bench.figures import Run
from tools.bench.function_page import function_section
from tools.bench.lambda_sized import memory_of_poll, share_of_core
from tools.bench.product import FASTEST_PER_SECOND, POLL_SECONDS
from tools.bench.table import Line
from tools.markdown import markdown_table

_HEAD = (
    "measure",
    "requests + json",
    "naive script",
    "dlt, scd2 on DuckDB",
    "wanted",
    "Examhook, newest first",
    "oldest first",
    "met",
)


def page(run: Run, table: Sequence[Line]) -> str:
    """The whole section."""
    scale, contact, large = run.scale, run.contact, run.large
    return f"""## Detection

Written by `make bench`, in {run.whole_run_s / 60:.0f} minutes, on commit {_commit()}, on
{_machine()}.
Processor times and ratios are comparable within one run; on a busy machine, times by the clock are longer.

The provider is simulated: {scale.exams} exams of {scale.rows:,} attempts each, read in pages of 100 over real
sockets, with a result link in every row that differs in every answer. The emulator of the local run plays DynamoDB.
Each measured program, the provider and the emulator run in processes of their own. Polls are {POLL_SECONDS} seconds
apart, as by default.

{_table(table)}

¹ The script compares the {scale.busy} busy exams; its reads are multiplied to {scale.exams}.
² One more request for each list whose end is proven by an empty page.

How each is measured:

- **Nothing changed:** {len(large.newest.quiet.polls)} polls, one whole rotation through the exams. The figure is that
  of most polls: one page of the list of exams, and one exam whose turn in the rotation came (two requests with the
  oldest rows first, because the end of its rows is proven). With the newest rows first, a poll makes on average
  {large.newest.quiet.mean_requests:.1f} requests and uses {large.newest.quiet.read_units:.1f} DynamoDB read units and
  {large.newest.quiet.write_units:.1f} write units. Every five minutes one further request proves where the list ends.
- **50 changes:** one poll, {POLL_SECONDS} seconds after the last one. In the {scale.busy} busy exams five attempts end
  and five start. When all exams are busy, one attempt ends in one half of them, and one starts in each of the others.
  No full scan is due then. Every event that the poll writes is compared with what happened at the provider.
- **Events:** {_happened(run)} changes happened in the measured polls.
- **Oldest first:** the same account two hours later, after its provider reversed the order of its rows and one full
  scan showed the new order.
- **Too many requests, rows that move, SIGKILL, links in dlt:** another account, with {scale.small_rows} attempts in
  each of {scale.small_exams - scale.small_larger} exams and {scale.rows:,} in each of {scale.small_larger}.
- **Too many requests:** all of it is read at 8 requests/s. The token bucket, the usual limiter, has 8 tokens, gains
  8 a second, and sends as many requests.
- **Rows that move:** during a full scan of each of {run.drifted.exams} exams, newest first, a row that was read
  already is deleted, and later somebody submits; twice. dlt goes through that once. After two quiet scans,
  {run.drifted.true_removals} of the {2 * run.drifted.exams} deleted rows were announced as removed.
- **SIGKILL:** the process is killed {run.interrupted.kills} times during the first contact. All together they request
  {run.interrupted.pages_asked} pages instead of {run.interrupted.pages_needed}. The figure is the mean of each kill.
- **Processor time of a full scan:** of the whole process, the middle one of {scale.scans} pairs of scans. dlt is
  measured without the links, because it would take them for changes.
- **Processor time for each row of a first contact:** to fetch, parse, compare and write {large.first.rows:,} rows,
  {large.first.cpu_s:.1f} s of the whole process.
- **First contact at {FASTEST_PER_SECOND:g} requests/s:** {large.paced_first.requests} requests in
  {large.paced_first.wall_s:.0f} s by the clock, with {memory_of_poll()} MB and {share_of_core(memory_of_poll()):.2f} of
  a core. The answers of the emulator take part of that time.
- **Units:** writes as the emulator counts them, by size as DynamoDB does; reads counted by DynamoDB's rules from the
  items in its answers.
- **Memory:** the highest mark of the process in a first contact, in quiet and busy polls and in full scans.
- **{scale.many_exams:,} exams:** of {scale.many_rows:,} attempts each. Writing a million of them into the emulator
  takes long, so the state after a first contact is written straight into the tables: the states of all exams, and the
  attempts on the first page of the busy ones. The timed poll makes {run.many.paced.requests} requests
  and finds {run.many.paced.events.total()} changes. No exam's turn in the rotation comes during these polls. With so
  many exams, the rotation adds {_rotation_requests(scale.many_exams)} requests to each poll.
- **A first contact over several polls:** {scale.many_exams:,} exams of {scale.contact_rows} attempts each; each poll
  has time for {scale.contact_requests} requests. It takes {contact.polls} polls and {contact.requests:,} requests.
  Before it, in the middle of each poll and after each, an attempt starts in each of {scale.many_busy} exams all over
  the list, and those that were running end. The {contact.rows:,} attempts that had ended before are old results;
  {contact.ended} ended during the first contact. Of the {contact.expected} events that must come (those ends, and the
  starts of attempts that still run) {contact.announced} came, and {contact.seen_running} starts of attempts that a poll
  saw before they ended.

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


def _table(table: Sequence[Line]) -> str:
    rows = [
        (line.measure, line.floor, line.naive, line.dlt, line.wanted, line.newest, line.oldest, _yes(met=line.met))
        for line in table
    ]
    return markdown_table(_HEAD, rows)


def _happened(run: Run) -> str:
    return f"{sum(steady.truth.happened for steady in run.orders) + run.many.truth.happened:,}"


def _yes(*, met: bool) -> str:
    return "yes" if met else "**no**"


def _machine() -> str:
    load = os.getloadavg()[2]
    return (
        f"{platform.system()} {platform.machine()} with Python {platform.python_version()}"
        f" ({os.cpu_count()} cores, load average {load:.1f} in the last 15 minutes)"
    )
