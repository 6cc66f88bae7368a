"""What happens at the provider in the demo, step by step; between two steps, Examhook polls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from examhook_simulator.facts import AttemptRef
from examhook_simulator.world import World

PAST_EXAMS = ("Anatomy II", "First aid, refresher", "Forklift licence, theory")
PAST_ATTEMPTS = 120

LONG_TITLE = (
    "Grundlagen der Betäubungsmittel-Verschreibungsverordnung für Pflegefachpersonen in der ambulanten und stationären "
    "Versorgung einschließlich der Aufbewahrungs- und Dokumentationspflichten (Wiederholungsprüfung)"
)


@dataclass(slots=True)
class Stage:
    """The world, and the attempts that later steps come back to."""

    world: World
    exams: list[str]
    attempts: dict[str, AttemptRef] = field(default_factory=dict)

    def start(self, who: str, exam: str, name: str | None = None) -> None:
        """``who`` opens an exam."""
        again = self.attempts.get(who)
        self.attempts[who] = self.world.start(exam, again.candidate_id if again else None, name)
        self.world.advance(1)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, in words and in deed."""

    words: str
    act: Callable[[Stage], None]
    full_pass: bool = False
    """Whether the poll after it reads every exam, as one does each hour, since no hint shows what happened."""


def furnish(world: World) -> Stage:
    """The past: three exams that many have taken already."""
    exams = [world.create_exam(title) for title in PAST_EXAMS]
    for exam in exams:
        world.populate(exam, PAST_ATTEMPTS)
    return Stage(world, exams)


def _opens(stage: Stage) -> None:
    stage.start("mei", stage.exams[0], "Mei Chen 陈美")


def _hands_in(stage: Stage) -> None:
    stage.world.advance(1500)
    stage.world.submit(stage.attempts["mei"], 87)


def _three_open(stage: Stage) -> None:
    for who, name in (("late", "Łukasz Żółty"), ("caught", "مريم حداد"), ("stuck", "Zoë O'Hara 🎓")):
        stage.start(who, stage.exams[1], name)


def _three_end(stage: Stage) -> None:
    stage.world.advance(3600)
    stage.world.time_out(stage.attempts["late"], 41.5)
    stage.world.force(stage.attempts["caught"], 12)
    stage.world.system_submit(stage.attempts["stuck"], 55)


def _retakes(stage: Stage) -> None:
    stage.start("mei", stage.exams[0])
    stage.world.advance(1200)
    stage.world.submit(stage.attempts["mei"], 95)


def _new_exam(stage: Stage) -> None:
    exam = stage.world.create_exam(LONG_TITLE)
    stage.exams.append(exam)
    for who in ("pia", "jo"):
        stage.start(who, exam)
    stage.world.advance(900)
    stage.world.submit(stage.attempts["pia"], 70)
    stage.world.submit(stage.attempts["jo"], 64)


def _opens_before_the_end(stage: Stage) -> None:
    stage.start("sam", stage.exams[2])


def _closes(stage: Stage) -> None:
    stage.world.close_exam(stage.exams[2])


def _forced_after_the_end(stage: Stage) -> None:
    stage.world.advance(600)
    stage.world.force(stage.attempts["sam"], 30)


def _opens_again(stage: Stage) -> None:
    stage.world.advance(60)
    stage.world.open_exam(stage.exams[2])


def _marked(stage: Stage) -> None:
    stage.start("mei", stage.exams[0])
    stage.world.advance(300)
    stage.world.mark(stage.attempts["pia"], 78.5)


def _marked_attempt_ends(stage: Stage) -> None:
    stage.world.advance(300)
    stage.world.submit(stage.attempts["mei"], 99)


def _many_hand_in(stage: Stage) -> None:
    for number in range(5):
        stage.start(f"crowd {number}", stage.exams[0])
    stage.world.advance(700)
    for number in range(5):
        stage.world.submit(stage.attempts[f"crowd {number}"])


STEPS = (
    Step("Mei Chen opens an exam", _opens),
    Step("Mei Chen hands in", _hands_in),
    Step("Three others open another exam", _three_open),
    Step("One runs out of time, the administrator forces one in, the system ends the third", _three_end),
    Step("Mei Chen takes the same exam again and hands in", _retakes),
    Step("A new exam appears, with a long title, and two hand in before the next poll", _new_exam),
    Step("Sam opens an exam just before it ends", _opens_before_the_end),
    Step("That exam is closed while Sam still sits there", _closes),
    Step("The administrator forces Sam's attempt in", _forced_after_the_end),
    Step("The exam is opened again", _opens_again),
    Step(
        "An open question of the new exam is marked, which a full scan finds; Mei Chen tries again",
        _marked,
        full_pass=True,
    ),
    Step("Mei Chen hands in once more", _marked_attempt_ends),
)

STEP_WITH_A_BROKEN_RECEIVER = Step("Five hand in while the first receiver answers 500", _many_hand_in)
