"""The naive script: every page, and for every row a get, and a put where it differs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
import requests

from examhook_simulator.wire import Fields
from tools.bench.json_process import serve
from tools.bench.detection.floor_process import Row, pages
from tools.bench.units import UnitCounter
from tools.bench.usage import cpu_s, peak_bytes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

COMPARED = ("score", "startTime", "endTime", "status", "sid", "name")
"""Whoever compares the links as well finds every row changed at every pass."""

_BATCH = 25
"""Items that one BatchWriteItem takes."""


def item_of(exam_id: str, row: Row) -> dict[str, AttributeValueTypeDef]:
    """How the script keeps a row."""
    texts = {"pk": f"naive#{exam_id}", "sk": f"{row['startTime']}#{row['sid']}"}
    texts |= {name: str(row[name]) for name in COMPARED}
    return {name: {"S": text} for name, text in texts.items()}


def main() -> None:
    """Compare the exams that the input names with what is kept."""
    counter = UnitCounter.of_this_process()
    session, dynamodb, table = requests.Session(), boto3.client("dynamodb"), os.environ["SUBMISSIONS_TABLE"]

    def keep(exam_ids: tuple[str, ...]) -> None:
        """Put every row, as many at a time as goes: where the script begins from is not measured."""
        for exam_id in exam_ids:
            items = [item_of(exam_id, row) for page in pages(session, "api.queryResults", eid=exam_id) for row in page]
            for first in range(0, len(items), _BATCH):
                batch: list[WriteRequestTypeDef] = [
                    {"PutRequest": {"Item": item}} for item in items[first : first + _BATCH]
                ]
                dynamodb.batch_write_item(RequestItems={table: batch})

    def compare(fields: Fields) -> Mapping[str, object]:
        if fields.flag("begin"):
            keep(fields.texts("exam_ids"))
        counter.reset()
        cpu_before_s, began_s = cpu_s(), time.monotonic()
        requests_made = changes = 0
        for exam_id in () if fields.flag("begin") else fields.texts("exam_ids"):
            for rows in pages(session, "api.queryResults", eid=exam_id):
                requests_made += 1
                for item in (item_of(exam_id, row) for row in rows):
                    key = {"pk": item["pk"], "sk": item["sk"]}
                    if dynamodb.get_item(TableName=table, Key=key).get("Item") != item:
                        changes += 1
                        dynamodb.put_item(TableName=table, Item=item)
        return {
            "requests": requests_made,
            "changes": changes,
            "cpu_s": cpu_s() - cpu_before_s - counter.own_cpu_s,
            "wall_s": time.monotonic() - began_s,
            "peak_bytes": peak_bytes(),
            "read_units": counter.read_units,
            "write_units": counter.write_units,
        }

    serve(compare)


if __name__ == "__main__":
    main()
