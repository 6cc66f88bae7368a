"""The CloudEvents SDK after verification: from_structured_event() ignores the content type."""

import os

from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
webhook = Webhook(os.environ["EXAMHOOK_SECRET"])
seen: set[str] = set()


@app.post("/")
def receive() -> tuple[str, int]:
    headers, body = dict(request.headers), request.get_data()
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError:
        return "", 400
    event = from_structured_event(HTTPMessage(headers=headers, body=body))
    if request.headers["webhook-id"] not in seen:
        print(event.get_type(), event.get_id(), flush=True)
    seen.add(request.headers["webhook-id"])
    return "", 204
