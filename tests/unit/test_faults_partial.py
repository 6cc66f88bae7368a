"""A partly failed batch looks like AWS's answer."""

from __future__ import annotations

import json

from tools.faults.partial_failure import some_failed

XML = (
    '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Successful>'
    "<member><Id>0</Id><MessageId>a</MessageId></member><member><Id>1</Id><MessageId>b</MessageId></member>"
    "</Successful><Failed/></PublishBatchResult></PublishBatchResponse>"
)


def test_every_other_entry_of_a_json_answer_fails_from_the_first_on() -> None:
    said = {"Successful": [{"Id": str(nth), "MessageId": "m"} for nth in range(3)], "Failed": []}
    changed = json.loads(some_failed(json.dumps(said).encode()))
    assert [each["Id"] for each in changed["Successful"]] == ["1"]
    assert [(each["Id"], each["SenderFault"]) for each in changed["Failed"]] == [("0", False), ("2", False)]


def test_every_other_entry_of_an_xml_answer_fails_from_the_first_on() -> None:
    changed = some_failed(XML.encode()).decode()
    successful, failed = changed.split("</Successful>")
    assert "<Id>1</Id>" in successful
    assert "<Id>0</Id>" not in successful
    assert "<Failed><member><Id>0</Id><Code>InternalError</Code>" in failed
    assert failed.count("<Failed") == 1


def test_an_answer_of_another_form_is_unchanged() -> None:
    assert some_failed(b"<Error/>") == b"<Error/>"
