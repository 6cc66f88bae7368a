"""Receives webhooks with Flask. Run it with: flask --app flask_receiver run."""

import os

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError  # pip install flask standardwebhooks

app = Flask(__name__)
webhook = Webhook(os.environ["EXAMHOOK_SECRET"])  # whsec_…
seen: set[str] = set()  # keep these ids in your database


@app.post("/")
def receive() -> tuple[str, int]:
    try:
        event = webhook.verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 400
    webhook_id = request.headers["webhook-id"]
    if webhook_id not in seen:
        print(event["type"], event["id"], flush=True)  # your work, in less than 15 seconds
        seen.add(webhook_id)
    return "", 204
