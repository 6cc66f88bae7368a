"""Receives Examhook's webhooks, trusts only signed ones, drops what is older than what it knows, and notices gaps."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks import Webhook, WebhookVerificationError  # pip install standardwebhooks

GETS_STARTED = False  # True for an endpoint with --types 'submission.*'

webhook = Webhook(os.environ["EXAMHOOK_SECRET"])  # whsec_…
newest: dict[str, int] = {}  # by attempt or exam, the highest revision; keep these three in your database
seen: set[str] = set()  # ids of the events that came
missing: set[str] = set()  # ids of the events that others named and that have not come yet
lock = Lock()


def expected_before(event: dict) -> str | None:
    """The id of the event that comes before this one at this endpoint."""
    before = event["data"].get("submission", {}).get("previous_status")
    # Otherwise it is submission.started, which the endpoint does not receive, or submission.reopened.
    return event.get("previousid") if GETS_STARTED or before != "in_test" else None


def is_news(event: dict) -> bool:
    """Whether the event is newer than all that is known of its attempt or exam; notes what came and what is missing."""
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
        self.answer(204)  # an old or repeated event is no error

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
