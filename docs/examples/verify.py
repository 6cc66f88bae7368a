"""Receives Examhook's webhooks, verifies signatures, drops stale events and reports missing ones."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError  # pip install standardwebhooks

GETS_STARTED = False  # True for an endpoint with --types 'submission.*'

webhook = Webhook(os.environ["EXAMHOOK_SECRET"])  # whsec_…
newest: dict[str, int] = {}  # highest revision of each attempt or exam; store these three in your database
seen: set[str] = set()  # ids of received events
missing: set[str] = set()  # ids that other events named and that have not arrived yet
lock = Lock()


def expected_before(event: dict[str, Any]) -> str | None:
    """Id of the event that comes before this one at this endpoint."""
    before = event["data"].get("submission", {}).get("previous_status")
    # Otherwise it is submission.started, which the endpoint does not receive, or submission.reopened.
    return event.get("previousid") if GETS_STARTED or before != "in_test" else None


def is_news(event: dict[str, Any]) -> bool:
    """Whether the event is newer than everything known of its attempt or exam; records received and missing events."""
    with lock:
        if event["id"] in seen:
            return False
        seen.add(event["id"])
        missing.discard(event["id"])
        previous, revision = expected_before(event), event.get("revision")
        if previous and previous not in seen:
            missing.add(previous)
        if revision is None:  # about the installation
            return True
        subject = event["source"] + event.get("subject", "")
        if revision <= newest.get(subject, 0):
            return False
        newest[subject] = revision
        return True


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.body()
        try:
            webhook.verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            self.answer(400)
            return
        event = json.loads(body)
        if is_news(event):
            print(event["type"], event["data"], flush=True)
        if missing:
            print("missing so far:", *sorted(missing), flush=True)
        self.answer(204)  # an old or repeated event is not an error

    def body(self) -> bytes:
        if "Transfer-Encoding" not in self.headers:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""  # in chunks, as Cloudflare Tunnel and other proxies send it
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return body

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8200"))), Receiver).serve_forever()
