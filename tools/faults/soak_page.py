"""docs/soak.md: what a run of the soak found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools.faults.audit import Verdict
from tools.faults.memory import Held

MOST_GROWTH = 0.03
"""A process may steadily grow by so much of what it held once it was warm."""
_RECEIVERS = ("webhook 1", "webhook 2", "SNS → SQS")


@dataclass(frozen=True, slots=True)
class SoakReport:
    """What a run found."""

    seed: int
    minutes: float
    healed_s: float
    """From the end of the faults until all was equal, or no longer was waited; reading the queue takes its part."""
    happened: Counter[str]
    """Entries of the ledger by kind."""
    aws_faults: int
    provider_faults: int
    receiver_faults: int
    made: Counter[str]
    """How often each fault was switched on."""
    verdicts: Sequence[Verdict]
    held: Sequence[Held]

    @property
    def good(self) -> bool:
        """Whether nothing was lost, nothing invented, and no memory grew."""
        return all(one.good for one in self.verdicts) and all(
            one.steady_kb <= one.warm_kb * MOST_GROWTH for one in self.held
        )


def page(report: SoakReport) -> str:
    """The page."""
    happened = ", ".join(f"{kind} {count}" for kind, count in sorted(report.happened.items()))
    receivers = [
        f"| {name} | {one.events} | {len(one.lost)} | {len(one.invented)} | {one.repeated} |"
        for name, one in zip(_RECEIVERS, report.verdicts, strict=True)
    ]
    memory = [
        f"| {one.function} | {one.lived_s / 60:.0f} min | {one.warm_kb / 1024:.1f} | {one.end_kb / 1024:.1f} |"
        f" {one.steady_kb / 1024:.1f} | {one.most_kb / 1024:.1f} |"
        for one in report.held
    ]
    faults = [f"| {what} | {count} |" for what, count in sorted(report.made.items())]
    problems = [f"- {problem}" for one in report.verdicts for problem in (*one.lost[:20], *one.invented[:20])]
    return "\n".join([*_head(report, happened), *receivers, *_MEMORY, *memory, *_FAULTS, *faults, *problems, ""])


def _head(report: SoakReport, happened: str) -> list[str]:
    verdict = "equal" if all(one.good for one in report.verdicts) else "**not equal**"
    return [
        "# Soak",
        "",
        f"Written by `make soak MINUTES={report.minutes:g} SEED={report.seed}`: the template, deployed into the local",
        "emulator with each function's own rights enforced, watches an account where candidates come, end, are marked,",
        "reopened and removed, while faults are switched on and off at random. Which fault comes when follows from the",
        "seed; how the processes meet it does not.",
        "",
        f"- {report.minutes:g} minutes of faults; the comparison was complete {report.healed_s:.0f} s after their end.",
        f"- At the provider: {happened}.",
        f"- Faults that were met: {report.aws_faults} calls of AWS, {report.provider_faults} answers of the provider,",
        f"  {report.receiver_faults} requests to receivers.",
        f"- Ledger against receivers: {verdict}.",
        "",
        "| receiver | events | lost | invented | repeated (same id, same facts) |",
        "|---|---|---|---|---|",
    ]


_MEMORY = (
    "",
    "Memory of the longest-lived process of each function (MB resident); the first two minutes, in which it imports",
    "and connects, do not count. Steady growth is ten times the middle of what it grew by from one tenth of its time",
    f"to the next, and may be {MOST_GROWTH:.0%}: the first work of a kind loads something once and makes a step,",
    "a leak goes on.",
    "",
    "| function | lived | warm | at the end | steady growth | most of any process |",
    "|---|---|---|---|---|---|",
)
_FAULTS = ("", "| what was switched on | times |", "|---|---|")
