"""An HTTP server that calls a Lambda handler as a function URL or an HTTP API does.

Usage: ``lambda_front.py HANDLER_FILE function-url|http-api-2.0|http-api-1.0``.

Sources: AWS Lambda Developer Guide, "Invoking Lambda function URLs" (request payload format 2.0); API Gateway Developer
Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway" (formats 2.0 and 1.0). Format 2.0 lowercases
the names of headers and joins repeated ones with commas. AWS encodes bodies of binary types in base64 and does not list
the types; here all types except TEXT_TYPES are binary.
"""

import base64
import os
import runpy
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


def version_2(headers: Message, *, is_function_url: bool) -> dict[str, object]:
    """Return an event of format 2.0 without its body."""
    names = dict.fromkeys(name.lower() for name in headers)
    at = datetime.now(UTC)
    return {
        "version": "2.0",
        "routeKey": "$default" if is_function_url else "POST /",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {name: ",".join(headers.get_all(name, [])) for name in names},
        "requestContext": {
            "accountId": "anonymous" if is_function_url else "123456789012",
            "apiId": "example",
            "domainName": "example.lambda-url.us-east-1.on.aws" if is_function_url else "example.example",
            "domainPrefix": "example",
            "http": {
                "method": "POST",
                "path": "/",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("User-Agent"),
            },
            "requestId": "example",
            "routeKey": "$default" if is_function_url else "POST /",
            "stage": "$default",
            "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(at.timestamp() * 1000),
        },
    }


def version_1(headers: Message) -> dict[str, object]:
    """Return an event of format 1.0 without its body."""
    return {
        "version": "1.0",
        "resource": "/",
        "path": "/",
        "httpMethod": "POST",
        "headers": dict(headers.items()),
        "multiValueHeaders": {name: headers.get_all(name, []) for name in headers},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "example",
            "httpMethod": "POST",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": headers.get("User-Agent")},
            "path": "/",
            "protocol": "HTTP/1.1",
            "requestId": "example",
            "resourcePath": "/",
            "stage": "$default",
        },
        "pathParameters": None,
        "stageVariables": None,
    }


SHAPES: Mapping[str, Callable[[Message], dict[str, object]]] = {
    "function-url": lambda headers: version_2(headers, is_function_url=True),
    "http-api-2.0": lambda headers: version_2(headers, is_function_url=False),
    "http-api-1.0": version_1,
}


def with_body(event: dict[str, object], content_type: str, body: bytes) -> dict[str, object]:
    """Return ``event`` with its body as text, or in base64."""
    if content_type.startswith(TEXT_TYPES):
        return event | {"body": body.decode(), "isBase64Encoded": False}
    return event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def main(handler_file: str, shape: str) -> None:
    """Serve requests until the process ends."""
    handler = runpy.run_path(handler_file)["lambda_handler"]

    class Front(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = with_body(SHAPES[shape](self.headers), self.headers["Content-Type"], body)
            self.send_response(handler(event, None)["statusCode"])
            self.end_headers()

    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
