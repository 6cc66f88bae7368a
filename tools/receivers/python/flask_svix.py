"""Svix's library with Flask's request.get_data(), as in Svix's documentation."""

import json
import os

from flask import Flask, request
from svix.webhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
webhook = Webhook(os.environ["EXAMHOOK_SECRET"])
seen: set[str] = set()


@app.post("/")
def receive() -> tuple[str, int]:
    body = request.get_data()
    try:
        webhook.verify(body, dict(request.headers))
    except WebhookVerificationError:
        return "", 400
    event = json.loads(body)
    if request.headers["webhook-id"] not in seen:
        print(event["type"], event["id"], flush=True)
    seen.add(request.headers["webhook-id"])
    return "", 204
