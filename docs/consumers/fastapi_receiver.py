"""Receives webhooks with FastAPI. Run it with: uvicorn fastapi_receiver:app."""

import os

from fastapi import FastAPI, HTTPException, Request
from standardwebhooks import Webhook, WebhookVerificationError  # pip install fastapi uvicorn standardwebhooks

app = FastAPI()
webhook = Webhook(os.environ["EXAMHOOK_SECRET"])  # whsec_…
seen: set[str] = set()  # keep these ids in your database


@app.post("/", status_code=204)
async def receive(request: Request) -> None:
    try:
        event = webhook.verify(await request.body(), dict(request.headers))
    except WebhookVerificationError:
        raise HTTPException(400) from None
    webhook_id = request.headers["webhook-id"]
    if webhook_id not in seen:
        print(event["type"], event["id"], flush=True)  # your work, in less than 15 seconds
        seen.add(webhook_id)
