"""Receives Examhook's webhooks, trusts only signed ones, and drops what is older than what it knows."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError  # pip install standardwebhooks

webhook = Webhook(os.environ["EXAMHOOK_SECRET"])  # whsec_…
newest: dict[str, str] = {}  # keep this in your database


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            webhook.verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            self.answer(400)
            return
        event = json.loads(body)
        submission, sequence = event["source"] + event.get("subject", ""), event.get("sequence")
        if sequence is None or sequence > newest.get(submission, ""):
            newest[submission] = sequence or ""
            print(event["type"], event["data"], flush=True)
        self.answer(204)  # an old or repeated event is no error

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8200"))), Receiver).serve_forever()
