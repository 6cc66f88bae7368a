"""``python -m tools.faults.soak --minutes N``: a lively account and bad luck, then the ledger against the receivers.

Which fault comes when follows from the seed, which is printed. Exit status 0 when nothing was lost, nothing was
invented and no function's memory grew.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.faults.audit import Verdict
from tools.faults.memory import Samples
from tools.faults.function_processes import function_processes, kill_function
from tools.faults.receiver_proxy import Mode
from tools.faults.rows import SERVICES
from tools.faults.scenarios import deliver_again, stream_again, ticks_at_once
from tools.faults.soak_page import SoakReport, page
from tools.faults.stack import FUNCTIONS, Stage, stage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "soak.md"
_TICK_S = 10
_SAMPLE_S = 30
_ARRIVALS_PER_MINUTE = 20
_HEAL_S = 1800

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

    stage: Stage
    chance: random.Random
    say: Callable[[str], None]
    made: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    samples: Samples = field(default_factory=Samples)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, duration_s: float) -> list[Verdict]:
        """Suffer for so long, then heal; the verdicts."""
        self.stage.world.live(_ARRIVALS_PER_MINUTE)
        threads = [threading.Thread(target=target) for target in (self._tick, self._sample)]
        for thread in threads:
            thread.start()
        try:
            end_at = time.monotonic() + duration_s
            while time.monotonic() < end_at:
                self._turn()
                time.sleep(min(self.chance.uniform(10, 40), max(0.0, end_at - time.monotonic())))
            self.stage.world.live(0)
            self.say("calm; healing")
            return self.stage.heal(timeout_s=_HEAL_S)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _turn(self) -> None:
        """Now and then everything is well; else one or two things are not."""
        self.stage.calm()
        if self.chance.random() < 0.25:  # noqa: PLR2004 - a share
            self._note("calm")
            return
        for _ in range(self.chance.choice((1, 1, 2))):
            self.chance.choice((self._bad_aws, self._bad_aws, self._bad_provider, self._bad_receiver, self._accident))()

    def _bad_aws(self) -> None:
        service, rule = self.chance.choice(tuple(SERVICES)), self.chance.choice(_RULES)
        self.stage.weather.set([{"service": service, "probability": self.chance.choice((0.05, 0.2, 0.6)), **rule}])
        self._note(f"AWS, {SERVICES[service]}: {next(iter(rule))}")

    def _bad_provider(self) -> None:
        quirk = self.chance.choice(_QUIRKS)
        self.stage.simulator.control.quirk_on(quirk)
        self._note(f"provider: {quirk}")

    def _bad_receiver(self) -> None:
        nth = self.chance.randrange(len(self.stage.doors))
        if self.chance.random() < 0.5:  # noqa: PLR2004 - a share
            mode = self.chance.choice(tuple(Mode))
            self.stage.doors[nth].mode = mode
            self._note(f"receiver: its connection {mode}")
        else:
            status = self.chance.choice((400, 404, 429, 500, 503))
            self.stage.listeners[nth].answer_with(status)
            self._note(f"receiver: HTTP {status}")

    def _accident(self) -> None:
        match self.chance.randrange(8):
            case 0:
                function = self.chance.choice(FUNCTIONS)
                kill_function(self.stage.emulator_pid(), self.stage.name(function), signal.SIGKILL)
                self._note(f"{function} is killed")
            case 1:
                stream_again(self.stage)
                self._note("the stream delivers again")
            case 2:
                deliver_again(self.stage)
                self._note("SQS delivers again")
            case _:
                ticks_at_once(self.stage)
                self._note("ticks at once")

    def _note(self, what: str) -> None:
        self.made[what] += 1
        self.say(what)

    def _tick(self) -> None:
        while not self._stop.wait(_TICK_S):
            self.stage.tick(wait=False)

    def _sample(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            for process in function_processes(self.stage.emulator_pid()):
                self.samples.add(time.monotonic(), process)


def main() -> int:
    """Exit status 0 when the report is good."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults.soak", description="Suffer, then compare.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--keep", type=Path, help="where the ledger and what came go, to look into a difference")
    given = parser.parse_args()
    began_s = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.0f} s  {what}\n")
        sys.stderr.flush()

    say(f"seed {given.seed}, {given.minutes:g} minutes")
    with stage(given.seed) as found:
        soak = Soak(found, random.Random(given.seed), say)  # noqa: S311 - the same again from the same seed
        suffered_from_s = time.monotonic()
        verdicts = soak.run(given.minutes * 60)
        report = SoakReport(
            seed=given.seed,
            minutes=given.minutes,
            healed_s=time.monotonic() - suffered_from_s - given.minutes * 60,
            happened=Counter(entry.kind.value for entry in found.ledger()),
            aws_faults=found.weather.fired(),
            provider_faults=sum(bool(record.quirks) for record in found.simulator.control.requests()),
            receiver_faults=sum(door.broken for door in found.doors)
            + sum(one.answered >= 300 for listener in found.listeners for one in listener.received),  # noqa: PLR2004
            made=soak.made,
            verdicts=verdicts,
            held=soak.samples.held(),
        )
        if given.keep:
            given.keep.write_text(found.evidence(), encoding="utf-8")
    given.output.write_text(page(report), encoding="utf-8")
    say(f"written: {given.output}; {'good' if report.good else 'NOT GOOD'}")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
