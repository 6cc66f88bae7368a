"""Receives webhooks with AWS Lambda, behind a function URL or an API Gateway HTTP API."""

import base64
import os

from standardwebhooks import Webhook, WebhookVerificationError  # pip install --target . standardwebhooks

webhook = Webhook(os.environ["EXAMHOOK_SECRET"])  # whsec_…
seen: set[str] = set()  # keep these ids in a DynamoDB table; each instance of a function has its own memory


def lambda_handler(request: dict, _context: object) -> dict:
    headers = {name.lower(): value for name, value in request["headers"].items()}
    body = request.get("body") or ""
    raw = base64.b64decode(body) if request["isBase64Encoded"] else body.encode()
    try:
        event = webhook.verify(raw, headers)
    except WebhookVerificationError:
        return {"statusCode": 400}
    if headers["webhook-id"] not in seen:
        print(event["type"], event["id"], flush=True)  # your work, in less than 15 seconds
        seen.add(headers["webhook-id"])
    return {"statusCode": 204}
