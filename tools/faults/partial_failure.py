"""Changes answers to batch requests so that a part of the batch failed."""

from __future__ import annotations

import json
import re

_MEMBER = re.compile(r"<member>.*?</member>", re.DOTALL)
_ID = re.compile(r"<Id>(.*?)</Id>", re.DOTALL)
_FAILED = re.compile(r"<Failed\s*/>|<Failed>.*?</Failed>", re.DOTALL)


def some_failed(answer: bytes) -> bytes:
    """Return the answer of SendMessageBatch (JSON) or PublishBatch (XML) with every other entry failed, from the first.

    Other answers stay unchanged.
    """
    text = answer.decode()
    if text.lstrip().startswith("{"):
        return _json(text)
    return _xml(text).encode()


def _json(text: str) -> bytes:
    answer = json.loads(text)
    done = answer.get("Successful", [])
    failed = [{"Id": each["Id"], "Code": "InternalError", "SenderFault": False} for each in done[::2]]
    answer |= {"Successful": done[1::2], "Failed": [*answer.get("Failed", []), *failed]}
    return json.dumps(answer).encode()


def _xml(text: str) -> str:
    start, end = text.find("<Successful>"), text.find("</Successful>")
    if start < 0 or end < 0:
        return text
    members = _MEMBER.findall(text[start:end])
    failed = "".join(
        f"<member><Id>{found[1]}</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>"
        for found in map(_ID.search, members[::2])
        if found
    )
    rest = _FAILED.sub("", text[end:])
    return (
        f"{text[:start]}<Successful>{''.join(members[1::2])}</Successful><Failed>{failed}</Failed>"
        + rest.removeprefix("</Successful>")
    )
