"""The section about detection in docs/benchmarks.md."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from bench.figures import Run
from bench.function_page import function_section
from bench.markdown import markdown
from bench.table import Line

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
    scale, contact = run.scale, run.contact
    return f"""## Detection

Written by `make bench`, in {run.whole_run_s / 60:.0f} minutes, on {_machine()}.

A simulated provider with {scale.exams} exams of {scale.rows:,} attempts each, read in pages of 100 over real sockets,
with a link in every row that differs at every request. DynamoDB is played by the emulator of the local run. Each
program that is measured, the provider and the emulator are processes of their own.

{_table(table)}

¹ The script compares the {scale.busy} busy exams; its reads are multiplied to {scale.exams}.

How each is measured:

- **Nothing changed, 50 changes:** one poll, a minute after the last one. In the {scale.busy} busy exams five attempts
  end and five begin; when all are busy, one attempt ends in one half of them and one begins in each of the others. No
  full pass is due in that minute. Every event that the poll writes is compared with what happened in the world.
- **Events:** {_happened(run)} things happened in the measured polls.
- **Oldest first:** the same account two hours later, after its provider has turned the order round and one full pass
  has found out.
- **Too many requests, rows that move, SIGKILL, links in dlt:** another account, with {scale.small_rows} attempts in
  each of {scale.small_exams - scale.small_larger} exams and {scale.rows:,} in each of {scale.small_larger}.
- **Too many requests:** it is read whole at 8/s. Beside it, as many requests from a bucket of 8 tokens that fills at
  8 a second, the usual limiter.
- **Rows that move:** in the middle of a pass over each of {run.drifted.exams} exams, newest first, a row that was read
  already is deleted, and later somebody hands in; twice. dlt goes through that once. After two quiet passes
  {run.drifted.true_removals} of the {2 * run.drifted.exams} deleted rows were announced as removed.
- **SIGKILL:** the process is killed {run.interrupted.kills} times on the way through the first contact, and asks for
  {run.interrupted.pages_asked} pages instead of {run.interrupted.pages_needed}. The figure is for each time.
- **CPU:** processor time of the whole process during the pass, the middle of {scale.passes} pairs of passes. Beside it
  dlt without the links, which it would take for changes.
- **Units:** writes as the emulator counts them, by size as DynamoDB does; reads counted by DynamoDB's rules from the
  items that came back.
- **Memory:** the highest mark of the process in a first contact, in quiet and busy polls and in full passes.
- **{scale.many_exams:,} exams:** of {scale.many_rows:,} attempts each. To write a million of them into the emulator
  takes hours, so what a first contact leaves is written straight into the tables: all that is remembered of the
  exams, and the attempts on the first page of the busy ones. The timed poll makes {run.many.paced.requests} requests
  and finds {run.many.paced.events.total()} changes.
- **A first contact over several polls:** {scale.many_exams:,} exams of {scale.contact_rows} attempts each; a poll a
  minute, each with time for {scale.contact_requests} requests. It takes {contact.polls} polls, {contact.requests:,}
  requests and {contact.wall_s:.0f} s here. Before it, in the middle of each poll and after each, somebody begins in
  each of {scale.many_busy} exams all over the list, and who is there hands in. The {contact.rows:,} attempts that had
  ended before are old news; {contact.ended} ended meanwhile. Of the {contact.expected} events that must come (those
  ends, and the starts of who is still there) {contact.announced} came, and {contact.seen_running} starts of attempts
  that a poll met before they ended.

{function_section(run)}
"""


def _table(table: Sequence[Line]) -> str:
    rows = [
        (line.measure, line.floor, line.naive, line.dlt, line.wanted, line.newest, line.oldest, _yes(met=line.met))
        for line in table
    ]
    return markdown(_HEAD, rows)


def _happened(run: Run) -> str:
    return f"{sum(steady.truth.happened for steady in run.orders) + run.many.truth.happened:,}"


def _yes(*, met: bool) -> str:
    return "yes" if met else "**no**"


def _machine() -> str:
    return f"{platform.system()} {platform.machine()} with Python {platform.python_version()}"
