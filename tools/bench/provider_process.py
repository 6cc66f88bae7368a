"""The provider: the project's simulator in a process of its own, whose world can move in the middle of a pass."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from examhook_simulator.clock import VirtualClock
from examhook_simulator.control_acts import Stage
from examhook_simulator.control_api import ControlApi
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import AttemptRef, RowOrder
from examhook_simulator.pace import RequestLimit
from examhook_simulator.provider_api import ProviderApi, Reply
from examhook_simulator.quirks import RESULTS, Quirk
from examhook_simulator.server import DEFAULT_CODE, running_simulator
from examhook_simulator.wire import Fields
from examhook_simulator.world import World
from tools.bench.json_process import answer, serve

_DAY_S = 86_400
_DELETE_AT, _INSERT_AT = 0.3, 0.7
"""Rows move when so much of an exam has been read. Never at the same page: the one move would undo the other."""


class MovingApi(ProviderApi):
    """The API over a world that changes between the requests of one pass.

    In each exam named to ``move``, once: a row that was read already is deleted, so that all behind
    it move up by one; and somebody hands in a new attempt.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world, DEFAULT_CODE, RequestLimit(None))
        self._moving_world = world
        self._to_delete: set[str] = set()
        self._to_insert: set[str] = set()
        self.results_asked = 0
        """Pages of results that were asked for."""

    def move(self, exam_ids: tuple[str, ...]) -> None:
        """Move the rows of these exams during the next pass over them."""
        self._to_delete, self._to_insert = set(exam_ids), set(exam_ids)

    def answer(self, query: Mapping[str, str], base_url: str, elapsed_s: float, signature: str | None = None) -> Reply:
        """Answer, then let the rows move where it is time."""
        reply = super().answer(query, base_url, elapsed_s, *([] if signature is None else [signature]))
        exam_id = query.get("eid", "")
        self.results_asked += query.get("task") == RESULTS
        if query.get("task") == RESULTS:
            with self._moving_world.turn():
                exam = self._moving_world.exam(exam_id)
                share_read = (int(query.get("start", "0")) + reply.rows) / max(1, len(exam))
                if share_read >= _DELETE_AT and exam_id in self._to_delete:
                    self._to_delete.discard(exam_id)
                    self._delete_from(exam)
                if share_read >= _INSERT_AT and exam_id in self._to_insert:
                    self._to_insert.discard(exam_id)
                    self._moving_world.submit(self._moving_world.start(exam_id), 50)
        return reply

    def _delete_from(self, exam: ExamBook) -> None:
        order = self.quirks.standing(RESULTS, str(exam.exam_id)).get(Quirk.ROW_ORDER)
        newest_first = order is None or order.value != RowOrder.OLDEST
        rows = exam.rows()[:: -1 if newest_first else 1]
        gone = rows[len(rows) // 8]
        self._moving_world.remove(AttemptRef(str(exam.exam_id), str(gone.candidate_id), gone.started_at))


def main() -> None:
    """Serve a world of the size that the command line names; its input moves it, until it ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exams", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--larger", type=int, default=0, help="so many of the exams are larger")
    parser.add_argument("--rows-of-larger", type=int, default=0)
    given = parser.parse_args()
    world = World(1, VirtualClock(time.time(), 1.0))
    until = world.now() - _DAY_S
    exam_ids = [world.create_exam(at=until - 30 * _DAY_S) for _ in range(given.exams)]
    for place, exam_id in enumerate(exam_ids):
        world.populate(exam_id, given.rows_of_larger if place < given.larger else given.rows, until)
    with running_simulator(world, requests_per_second=None) as simulator:
        simulator.api = api = MovingApi(world)
        simulator.control_api = ControlApi(Stage(world, api))
        answer({"url": simulator.base_url, "code": simulator.code, "exam_ids": exam_ids})

        def act(fields: Fields) -> Mapping[str, object]:
            if fields.has("move"):
                api.move(fields.texts("move"))
            return {"results_asked": api.results_asked}

        serve(act)


if __name__ == "__main__":
    main()
