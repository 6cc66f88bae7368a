"""``python -m tools.faults.soak --minutes N``: random faults on a busy account, then the comparison with the ledger.

The printed seed decides which fault comes when.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tools.faults.audit import Audit
from tools.faults.function_processes import function_processes, kill_function
from tools.faults.memory import Samples
from tools.faults.receiver_proxy import Mode
from tools.faults.rows import SERVICES
from tools.faults.scenarios import deliver_again, stream_again, ticks_at_once
from tools.faults.soak_page import SoakReport, page
from tools.faults.stack import FUNCTIONS, FaultStack, running_fault_stack
from tools.processes import PROJECT
from tools.progress import Say, progress

PAGE = PROJECT / "docs" / "soak.md"
_TICK_S = 10
_SAMPLE_S = 30
_ARRIVALS_PER_MINUTE = 20
_RECOVERY_S = 1800

_QUIRKS = (
    *("server_error@0.3", "throttled=1@0.2", "html_page@0.3", "error_object@0.1", "empty_list@0.2", "empty_body@0.3"),
    *("cut_body@0.3", "cut_connection@0.3", "reset@0.3", "slow=2@0.2", "hang=20@0.05", "php_notices", "bom"),
    *("unreadable_row@0.2", "numbers_as_strings", "no_status_in_lists", "row_order=shuffled", "limit_cap=5"),
)
_RULES: tuple[dict[str, object], ...] = (
    {"error": {"code": "ThrottlingException"}},
    {"error": {"code": "InternalServerError", "status": 500}},
    {"error": {"code": "ServiceUnavailable", "status": 503}},
    {"latency": {"min": 200, "max": 2500}},
    {"reset": True},
    {"response": {"abort_bytes": 1}},
)


@dataclass(slots=True)
class Soak:
    """One run."""

    stack: FaultStack
    rng: random.Random
    say: Say
    made: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    samples: Samples = field(default_factory=Samples)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, duration_s: float) -> list[Audit]:
        """Make faults for this time, then let the stack recover; return the audits."""
        self.stack.world.live(_ARRIVALS_PER_MINUTE)
        threads = [threading.Thread(target=target) for target in (self._tick, self._sample)]
        for thread in threads:
            thread.start()
        try:
            end_at_s = time.monotonic() + duration_s
            while time.monotonic() < end_at_s:
                self._change_faults()
                time.sleep(min(self.rng.uniform(10, 40), max(0.0, end_at_s - time.monotonic())))
            self.stack.world.live(0)
            self.say("end of the faults; recovering")
            return self.stack.recover(timeout_s=_RECOVERY_S)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _change_faults(self) -> None:
        """End all faults; in three of four cases, begin one or two."""
        self.stack.end_faults()
        if self.rng.random() < 0.25:  # noqa: PLR2004 - a share
            self._note("no fault")
            return
        for _ in range(self.rng.choice((1, 1, 2))):
            self.rng.choice((self._aws, self._aws, self._provider, self._receiver, self._act))()

    def _aws(self) -> None:
        service, rule = self.rng.choice(tuple(SERVICES)), self.rng.choice(_RULES)
        self.stack.aws_faults.set([{"service": service, "probability": self.rng.choice((0.05, 0.2, 0.6)), **rule}])
        self._note(f"AWS, {SERVICES[service]}: {next(iter(rule))}")

    def _provider(self) -> None:
        quirk = self.rng.choice(_QUIRKS)
        self.stack.simulator.control.quirk_on(quirk)
        self._note(f"provider: {quirk}")

    def _receiver(self) -> None:
        nth = self.rng.randrange(len(self.stack.proxies))
        if self.rng.random() < 0.5:  # noqa: PLR2004 - a share
            mode = self.rng.choice(tuple(Mode))
            self.stack.proxies[nth].mode = mode
            self._note(f"receiver: its connection {mode}")
        else:
            status = self.rng.choice((400, 404, 429, 500, 503))
            self.stack.listeners[nth].answer_with(status)
            self._note(f"receiver: HTTP {status}")

    def _act(self) -> None:
        match self.rng.randrange(8):
            case 0:
                function = self.rng.choice(FUNCTIONS)
                kill_function(self.stack.emulator_pid(), self.stack.function_name(function), signal.SIGKILL)
                self._note(f"{function} is killed")
            case 1:
                stream_again(self.stack)
                self._note("the stream repeats its records")
            case 2:
                deliver_again(self.stack)
                self._note("SQS repeats its messages")
            case _:
                ticks_at_once(self.stack)
                self._note("ticks at the same time")

    def _note(self, fault: str) -> None:
        self.made[fault] += 1
        self.say(fault)

    def _tick(self) -> None:
        while not self._stop.wait(_TICK_S):
            self.stack.tick(wait=False)

    def _sample(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            for process in function_processes(self.stack.emulator_pid()):
                self.samples.add(time.monotonic(), process)


def main() -> int:
    """Return 0 if nothing was lost or invented and no function's memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults.soak", description="Run the soak test.")
    parser.add_argument("--minutes", type=float, default=30, help="duration of the faults")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="default: random")
    parser.add_argument("--output", type=Path, default=PAGE, help="page to write")
    parser.add_argument("--keep", type=Path, help="file for ledger and events, to examine a difference")
    options = parser.parse_args()
    say = progress()
    say(f"seed {options.seed}, {options.minutes:g} minutes")
    with running_fault_stack(options.seed) as stack:
        soak = Soak(stack, random.Random(options.seed), say)  # noqa: S311 - reproducible
        began_s = time.monotonic()
        audits = soak.run(options.minutes * 60)
        report = SoakReport(
            seed=options.seed,
            minutes=options.minutes,
            recovered_s=time.monotonic() - began_s - options.minutes * 60,
            happened=Counter(entry.kind.value for entry in stack.ledger()),
            aws_faults=stack.aws_faults.count(),
            provider_faults=stack.provider_faults(),
            receiver_faults=sum(proxy.broken for proxy in stack.proxies)
            + sum(stack.refused(nth) for nth in range(len(stack.listeners))),
            made=soak.made,
            audits=audits,
            memory=soak.samples.memory_use(),
        )
        if options.keep:
            options.keep.write_text(stack.evidence(), encoding="utf-8")
    options.output.write_text(page(report), encoding="utf-8")
    say(f"written to {options.output}: {'passed' if report.passed else 'FAILED'}")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
