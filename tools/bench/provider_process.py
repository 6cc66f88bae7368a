"""The simulator as a process. Rows can move in the middle of a scan."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from examhook_simulator.clock import VirtualClock
from examhook_simulator.control_acts import Simulation
from examhook_simulator.control_api import ControlApi
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import AttemptRef, ListOrder
from examhook_simulator.json_fields import Fields
from examhook_simulator.provider_api import ProviderApi, Reply
from examhook_simulator.quirks import RESULTS, Quirk
from examhook_simulator.request_limit import RequestLimit
from examhook_simulator.server import DEFAULT_CODE, running_simulator
from examhook_simulator.world import World
from tools.bench.json_process import answer, serve

_DAY_S = 86_400
_DELETE_AT, _INSERT_AT = 0.3, 0.7
"""Share of an exam's rows that were read when a row is deleted or added. On the same page, both would cancel out."""


class MovingApi(ProviderApi):
    """An API whose rows move between the requests of one scan.

    In each exam passed to ``move``, one row that was already read is deleted, so all later rows move up. Later in the
    same scan a new attempt is submitted.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world, DEFAULT_CODE, RequestLimit(None))
        self._moving_world = world
        self._to_delete: set[str] = set()
        self._to_insert: set[str] = set()
        self.result_pages = 0
        """Pages of results that were requested."""

    def move(self, exam_ids: tuple[str, ...]) -> None:
        """Move the rows of these exams during the next scan."""
        self._to_delete, self._to_insert = set(exam_ids), set(exam_ids)

    def answer(self, query: Mapping[str, str], base_url: str, elapsed_s: float, signature: str | None = None) -> Reply:
        """Answer, then move rows if it is time."""
        reply = super().answer(query, base_url, elapsed_s, *([] if signature is None else [signature]))
        if query.get("task") == RESULTS:
            self.result_pages += 1
            self._move_rows(query, reply)
        return reply

    def _move_rows(self, query: Mapping[str, str], reply: Reply) -> None:
        exam_id = query.get("eid", "")
        with self._moving_world.locked():
            exam = self._moving_world.exam(exam_id)
            share_read = (int(query.get("start", "0")) + reply.rows) / max(1, len(exam))
            if share_read >= _DELETE_AT and exam_id in self._to_delete:
                self._to_delete.discard(exam_id)
                self._delete_from(exam)
            if share_read >= _INSERT_AT and exam_id in self._to_insert:
                self._to_insert.discard(exam_id)
                self._moving_world.submit(self._moving_world.start(exam_id), 50)

    def _delete_from(self, exam: ExamBook) -> None:
        order = self.quirks.standing(RESULTS, str(exam.exam_id)).get(Quirk.ROW_ORDER)
        newest_first = order is None or order.value != ListOrder.OLDEST
        rows = exam.rows()[:: -1 if newest_first else 1]
        deleted = rows[len(rows) // 8]
        self._moving_world.remove(AttemptRef(str(exam.exam_id), str(deleted.candidate_id), deleted.started_at))


def main() -> None:
    """Serve a world of the size that the options name, until the input ends."""
    parser = argparse.ArgumentParser()
    for option in ("--exams", "--rows", "--larger", "--rows-of-larger"):
        parser.add_argument(option, type=int, required=True)
    options = parser.parse_args()
    world = World(1, VirtualClock(time.time(), 1.0))
    until = world.now() - _DAY_S
    exam_ids = [world.create_exam(at=until - 30 * _DAY_S) for _ in range(options.exams)]
    for nth, exam_id in enumerate(exam_ids):
        world.populate(exam_id, options.rows_of_larger if nth < options.larger else options.rows, until)
    with running_simulator(world, requests_per_second=None) as simulator:
        simulator.api = api = MovingApi(world)
        simulator.control_api = ControlApi(Simulation(world, api))
        answer({"url": simulator.base_url, "code": simulator.code, "exam_ids": exam_ids})

        def act(fields: Fields) -> Mapping[str, object]:
            if fields.has("move"):
                api.move(fields.texts("move"))
            return {"result_pages": api.result_pages}

        serve(act)


if __name__ == "__main__":
    main()
