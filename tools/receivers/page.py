"""docs/receivers.md: the results of the receiver matrix."""

from __future__ import annotations

from collections.abc import Mapping

from tools.markdown import markdown_table
from tools.receivers.matrix import Measured
from tools.receivers.receivers import RECEIVERS, Receiver

_HEAD = """# Receivers

Written by `make receivers`. Each receiver is a separate process, written as the documentation of its framework or
library shows it. The code of Deliver builds, signs and sends the requests.

Each receiver gets every event type, an event with characters of one to four bytes, and one of the maximum size, all of
them twice. It also gets one request with the two signatures of a rotation, three forged requests (signed with another
secret, changed after signing, one hour old), and one genuine request as `application/cloudevents+json`.

- **parses**: it answers 2xx to every event and reads its type and id
- **verifies**: it also accepts both signatures, and refuses all three forged requests with 4xx
- **repeats**: it answers 2xx to a repeated event and processes it once, by its `webhook-id`
- **cloudevents+json**: it processes the event that has the other content type
- **needs**: what you add to this receiver

A signature covers the bytes of the body. A parser of JSON discards them, so a receiver that only parses cannot verify.
The column "needs" then shows the line that keeps the bytes, and the next row uses it. Verified receivers to copy are in
[consumers](consumers/README.md).
"""

_TAIL = """
With `application/cloudevents+json`, parsers that expect `application/json` discard the body or refuse the request. The
worst of them answer 2xx, so that Examhook counts a lost event as delivered. Webhooks are therefore sent as
`application/json` unless the endpoint has `--content-type cloudevents`
([decision 30](decisions/0030-application-json.md)).

The Lambda rows run the function behind a
[small HTTP server](../tools/receivers/lambda_front.py) that builds the event of a function URL or an HTTP API
as AWS documents it. AWS says that bodies of binary types are in base64, but does not list the types. The server
encodes all types except text, JSON, JavaScript and XML, so the function is tested with both forms.
"""


def page(results: Mapping[str, Measured | str]) -> str:
    """Return the page; a text is the reason why a receiver did not run."""
    head = ("receiver", "version", "parses", "verifies", "repeats", "cloudevents+json", "needs")
    rows = [_row(receiver, results[receiver.name]) for receiver in RECEIVERS]
    ran = [result for result in results.values() if isinstance(result, Measured)]
    verified = sum(result.verifies == "yes" for result in ran)
    summary = f"{len(ran)} of {len(RECEIVERS)} receivers ran; {verified} of them verify every event.\n"
    return "\n".join([_HEAD, summary, markdown_table(head, rows)]) + "\n" + _TAIL


def _link(path: str) -> str:
    return path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}"


def _row(receiver: Receiver, result: Measured | str) -> tuple[str, ...]:
    name = f"[{receiver.name}]({_link(receiver.code)})"
    if isinstance(result, str):
        return (name, "", "", "", "", "", f"not run: {result}")
    answers = (result.parses, result.verifies, result.deduplicates, result.cloudevents)
    return (name, result.version, *answers, receiver.needs)
