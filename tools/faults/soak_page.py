"""docs/soak.md: the results of a soak test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools.faults.audit import Audit
from tools.faults.memory import MemoryUse
from tools.markdown import markdown_table

MOST_GROWTH = 0.03
"""Permitted steady growth of a process, as a share of its warm memory."""
_RECEIVERS = ("webhook 1", "webhook 2", "SNS → SQS")


@dataclass(frozen=True, slots=True)
class SoakReport:
    """Results of one run."""

    seed: int
    minutes: float
    recovered_s: float
    """From the end of the faults to the end of the comparison. Reading the queue takes part of this time."""
    happened: Counter[str]
    """Ledger entries by kind."""
    aws_faults: int
    provider_faults: int
    receiver_faults: int
    made: Counter[str]
    """How often each fault was switched on."""
    audits: Sequence[Audit]
    memory: Sequence[MemoryUse]

    @property
    def passed(self) -> bool:
        """Whether nothing was lost or invented and no memory grew."""
        grown = [each for each in self.memory if each.steady_kb > each.warm_kb * MOST_GROWTH]
        return all(audit.passed for audit in self.audits) and not grown


def page(report: SoakReport) -> str:
    """Return the page."""
    happened = ", ".join(f"{kind} {count}" for kind, count in sorted(report.happened.items()))
    verdict = "equal" if all(audit.passed for audit in report.audits) else "**not equal**"
    receivers = [
        (name, f"{audit.events}", f"{len(audit.lost)}", f"{len(audit.invented)}", f"{audit.repeated}")
        for name, audit in zip(_RECEIVERS, report.audits, strict=True)
    ]
    memory = [
        (
            each.function,
            f"{each.lived_s / 60:.0f} min",
            *(f"{kb / 1024:.1f}" for kb in (each.warm_kb, each.end_kb, each.steady_kb, each.most_kb)),
        )
        for each in report.memory
    ]
    faults = [(fault, f"{count}") for fault, count in sorted(report.made.items())]
    problems = [f"- {problem}" for audit in report.audits for problem in (*audit.lost[:20], *audit.invented[:20])]
    return "\n".join(
        [
            f"""# Soak

Written by `make soak MINUTES={report.minutes:g} SEED={report.seed}`. The template is deployed into the local emulator,
which enforces each function's own role. It watches an account whose attempts start, end, are rescored, reopened and
removed, while faults are switched on and off at random. The seed decides which fault comes when; how the processes
react varies.

- {report.minutes:g} minutes of faults; the comparison ended {report.recovered_s:.0f} s later.
- At the provider: {happened}.
- Faults: {report.aws_faults} AWS calls, {report.provider_faults} answers of the provider, {report.receiver_faults}
  requests to receivers.
- Ledger and receivers: {verdict}.

{markdown_table(("receiver", "events", "lost", "invented", "repeated (same id, same facts)"), receivers)}

Resident memory of the longest-lived process of each function, in MB. The first two minutes are ignored, because a new
process imports and connects. Steady growth is ten times the median growth from one tenth of the time to the next; up to
{MOST_GROWTH:.0%} is permitted. A single step, like the first use of a feature, does not change the median. A leak does.

{markdown_table(("function", "lived", "warm", "at the end", "steady growth", "maximum of all processes"), memory)}

{markdown_table(("fault", "times"), faults)}""",
            *problems,
            "",
        ]
    )
