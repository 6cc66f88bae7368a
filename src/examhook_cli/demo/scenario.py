"""Steps of the demo at the simulated provider; Examhook polls after each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from examhook_simulator.facts import AttemptRef
from examhook_simulator.world import World

_PAST_EXAMS = ("Anatomy II", "First aid, refresher", "Forklift licence, theory")
_PAST_ATTEMPTS = 120

_LONG_TITLE = (
    "Grundlagen der Betäubungsmittel-Verschreibungsverordnung für Pflegefachpersonen in der ambulanten und stationären "
    "Versorgung einschließlich der Aufbewahrungs- und Dokumentationspflichten (Wiederholungsprüfung)"
)


@dataclass(slots=True)
class DemoWorld:
    """The world, and the attempts that later steps use."""

    world: World
    exams: list[str]
    attempts: dict[str, AttemptRef] = field(default_factory=dict)

    def start(self, who: str, exam: str, name: str | None = None) -> None:
        """Start an attempt of a candidate, new or known."""
        earlier = self.attempts.get(who)
        self.attempts[who] = self.world.start(exam, earlier.candidate_id if earlier else None, name)
        self.world.advance(1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the scenario."""

    title: str
    act: Callable[[DemoWorld], None]
    full_scan: bool = False
    """Whether only a full scan, which runs once an hour, finds the change."""


def create_world(world: World) -> DemoWorld:
    """Add three exams with past attempts."""
    exams = [world.create_exam(title) for title in _PAST_EXAMS]
    for exam in exams:
        world.populate(exam, _PAST_ATTEMPTS)
    return DemoWorld(world, exams)


def _opens(demo: DemoWorld) -> None:
    demo.start("mei", demo.exams[0], "Mei Chen 陈美")


def _submits(demo: DemoWorld) -> None:
    demo.world.advance(1500)
    demo.world.submit(demo.attempts["mei"], 87)


def _three_open(demo: DemoWorld) -> None:
    for who, name in (("late", "Łukasz Żółty"), ("caught", "مريم حداد"), ("stuck", "Zoë O'Hara 🎓")):
        demo.start(who, demo.exams[1], name)


def _three_end(demo: DemoWorld) -> None:
    demo.world.advance(3600)
    demo.world.time_out(demo.attempts["late"], 41.5)
    demo.world.force(demo.attempts["caught"], 12)
    demo.world.system_submit(demo.attempts["stuck"], 55)


def _retakes(demo: DemoWorld) -> None:
    demo.start("mei", demo.exams[0])
    demo.world.advance(1200)
    demo.world.submit(demo.attempts["mei"], 95)


def _new_exam(demo: DemoWorld) -> None:
    exam = demo.world.create_exam(_LONG_TITLE)
    demo.exams.append(exam)
    for who in ("pia", "jo"):
        demo.start(who, exam)
    demo.world.advance(900)
    demo.world.submit(demo.attempts["pia"], 70)
    demo.world.submit(demo.attempts["jo"], 64)


def _opens_before_the_end(demo: DemoWorld) -> None:
    demo.start("sam", demo.exams[2])


def _closes(demo: DemoWorld) -> None:
    demo.world.close_exam(demo.exams[2])


def _forced_after_the_end(demo: DemoWorld) -> None:
    demo.world.advance(600)
    demo.world.force(demo.attempts["sam"], 30)


def _opens_again(demo: DemoWorld) -> None:
    demo.world.advance(60)
    demo.world.open_exam(demo.exams[2])


def _rescored(demo: DemoWorld) -> None:
    demo.start("mei", demo.exams[0])
    demo.world.advance(300)
    demo.world.mark(demo.attempts["pia"], 78.5)


def _attempt_during_rescoring_ends(demo: DemoWorld) -> None:
    demo.world.advance(300)
    demo.world.submit(demo.attempts["mei"], 99)


def _many_submit(demo: DemoWorld) -> None:
    for number in range(5):
        demo.start(f"crowd {number}", demo.exams[0])
    demo.world.advance(700)
    for number in range(5):
        demo.world.submit(demo.attempts[f"crowd {number}"])


STEPS = (
    Step("Mei Chen opens an exam", _opens),
    Step("Mei Chen submits", _submits),
    Step("Three others open another exam", _three_open),
    Step("One times out, the administrator force-submits one, the system submits the third", _three_end),
    Step("Mei Chen takes the same exam again and submits", _retakes),
    Step("A new exam with a long title appears, and two submit before the next poll", _new_exam),
    Step("Sam opens an exam just before it ends", _opens_before_the_end),
    Step("That exam is closed during Sam's attempt", _closes),
    Step("The administrator force-submits Sam's attempt", _forced_after_the_end),
    Step("The exam is reopened", _opens_again),
    Step(
        "An attempt at the new exam is rescored, which a full scan finds; Mei Chen starts again",
        _rescored,
        full_scan=True,
    ),
    Step("Mei Chen submits once more", _attempt_during_rescoring_ends),
)

STEP_WITH_A_BROKEN_RECEIVER = Step("Five submit while the first receiver responds with 500", _many_submit)
