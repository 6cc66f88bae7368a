"""A local server that answers the few AWS calls that moto cannot, and records the requests.

DescribeStacks of CloudFormation (a stack with outputs, or an error), and Invoke of Lambda.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

OUTPUTS = {
    "AccountName": "main",
    "AllowHttpEndpoints": "false",
    "AllowPrivateEndpoints": "false",
    "DeliveriesTableName": "Deliveries",
    "DispatchFunctionName": "examhook-dispatch",
    "EndpointsTableName": "Endpoints",
    "EventsTableName": "Events",
    "ExamsTableName": "Exams",
    "PollFunctionName": "examhook-poll",
    "RetentionDays": "30",
    "SubmissionsTableName": "Submissions",
}
"""Outputs of a stack whose tables are those of tests/support/storage/tables.py."""

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@dataclass
class AwsFront:
    """Its answers, and the received requests."""

    url: str = ""
    outputs: dict[str, str] = field(default_factory=lambda: dict(OUTPUTS))
    status: str = "UPDATE_COMPLETE"
    refusal: tuple[int, str, str] | None = None
    """HTTP status, code and message of the error that DescribeStacks answers with."""
    function_answer: bytes = b"{}"
    function_answers: list[bytes] = field(default_factory=list)
    """Answers of the first invocations, before ``function_answer``."""
    function_error: str | None = None
    invocations: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    """Path and payload of each invocation."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/invocations"):
            self._invoke(body)
        else:
            self._describe(parse_qs(body.decode())["StackName"][0])

    def log_message(self, *args: object) -> None:
        pass

    def _invoke(self, body: bytes) -> None:
        front = self.server.front
        front.invocations.append((self.path, json.loads(body)))
        headers = {"X-Amz-Function-Error": front.function_error} if front.function_error else {}
        answer = front.function_answers.pop(0) if front.function_answers else front.function_answer
        self._answer(200, answer, headers)

    def _describe(self, name: str) -> None:
        front = self.server.front
        refusal = front.refusal
        if refusal is None and name != "examhook":
            refusal = (400, "ValidationError", f"Stack with id {name} does not exist")
        if refusal is not None:
            status, code, message = refusal
            body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            self._answer(status, f'<ErrorResponse xmlns="{_NAMESPACE}">{body}</ErrorResponse>'.encode(), {})
            return
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in front.outputs.items()
        )
        stack = (
            f"<StackName>{name}</StackName><StackStatus>{front.status}</StackStatus>"
            f"<CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>{members}</Outputs>"
        )
        answer = (
            f'<DescribeStacksResponse xmlns="{_NAMESPACE}"><DescribeStacksResult><Stacks><member>{stack}</member>'
            "</Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )
        self._answer(200, answer.encode(), {})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    def __init__(self, front: AwsFront) -> None:
        self.front = front
        super().__init__(("127.0.0.1", 0), _Handler)


@contextmanager
def running_aws_front() -> Iterator[AwsFront]:
    """Answer on a free port during the block."""
    front = AwsFront()
    with _Server(front) as server:
        front.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()
