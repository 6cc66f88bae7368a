"""A provider's world whose exams leave its list when they are over, so that it stays small however many there were."""

from __future__ import annotations

from examhook_simulator.clock import VirtualClock
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.world import World


class PassingWorld(World):
    """A world as any other; what is in ``over`` is not listed any more."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        super().__init__(seed, clock)
        self.over: set[str] = set()
        """Ids of exams."""

    def exams(self) -> list[ExamBook]:
        """The exams that are listed, oldest first."""
        return [exam for exam in super().exams() if str(exam.exam_id) not in self.over]

    def number_from(self, number: int) -> None:
        """Give further exams and candidates ids above ``number``."""
        with self.turn():
            self._last_exam_id = max(self._last_exam_id, number)
            self._candidates.number_from(number)
