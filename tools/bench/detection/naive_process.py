"""The naive script: it reads every page, gets the stored item of every row, and puts each row that differs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import boto3
import requests

from examhook_simulator.json_fields import Fields
from tools.bench.detection.floor_process import Row, pages
from tools.bench.json_process import serve
from tools.bench.units import UnitCounter
from tools.bench.usage import Stopwatch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

    Item = dict[str, AttributeValueTypeDef]

_COMPARED = ("score", "startTime", "endTime", "status", "sid", "name")
"""Result links are not compared: they change in every answer."""

_BATCH_WRITE_ITEMS = 25
_TABLE = "SUBMISSIONS_TABLE"


class _Script:
    def __init__(self) -> None:
        self._counter = UnitCounter.of_this_process()
        self._session, self._dynamodb, self._table = requests.Session(), boto3.client("dynamodb"), os.environ[_TABLE]

    def store(self, exam_ids: Sequence[str]) -> None:
        """Store all rows; this is not measured."""
        items = [item for exam_id in exam_ids for page in self._pages(exam_id) for item in page]
        for first in range(0, len(items), _BATCH_WRITE_ITEMS):
            batch: list[WriteRequestTypeDef] = [
                {"PutRequest": {"Item": item}} for item in items[first : first + _BATCH_WRITE_ITEMS]
            ]
            self._dynamodb.batch_write_item(RequestItems={self._table: batch})

    def compare(self, exam_ids: Sequence[str]) -> Mapping[str, object]:
        """Compare all rows with the stored items and return the usage."""
        self._counter.reset()
        stopwatch = Stopwatch()
        requests_made = changes = 0
        for exam_id in exam_ids:
            for items in self._pages(exam_id):
                requests_made += 1
                changes += sum(self._put_if_changed(item) for item in items)
        return {
            "requests": requests_made,
            "changes": changes,
            **stopwatch.figures(self._counter.own_cpu_s),
            "read_units": self._counter.read_units,
            "write_units": self._counter.write_units,
        }

    def _pages(self, exam_id: str) -> Iterator[list[Item]]:
        for page in pages(self._session, "api.queryResults", eid=exam_id):
            yield [_item_of(exam_id, row) for row in page]

    def _put_if_changed(self, item: Item) -> bool:
        key = {"pk": item["pk"], "sk": item["sk"]}
        if self._dynamodb.get_item(TableName=self._table, Key=key).get("Item") == item:
            return False
        self._dynamodb.put_item(TableName=self._table, Item=item)
        return True


def _item_of(exam_id: str, row: Row) -> Item:
    texts = {"pk": f"naive#{exam_id}", "sk": f"{row['startTime']}#{row['sid']}"}
    texts |= {name: str(row[name]) for name in _COMPARED}
    return {name: {"S": text} for name, text in texts.items()}


def main() -> None:
    """Compare the exams of each input line with the stored items, or with ``begin`` store their rows."""
    script = _Script()

    def act(fields: Fields) -> Mapping[str, object]:
        exam_ids = fields.texts("exam_ids")
        if not fields.flag("begin"):
            return script.compare(exam_ids)
        script.store(exam_ids)
        return {}

    serve(act)


if __name__ == "__main__":
    main()
