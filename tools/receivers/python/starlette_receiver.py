"""Starlette's request.body()."""

import os

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

webhook = Webhook(os.environ["EXAMHOOK_SECRET"])
seen: set[str] = set()


async def receive(request: Request) -> Response:
    try:
        event = webhook.verify(await request.body(), dict(request.headers))
    except WebhookVerificationError:
        return Response(status_code=400)
    if request.headers["webhook-id"] not in seen:
        print(event["type"], event["id"], flush=True)
    seen.add(request.headers["webhook-id"])
    return Response(status_code=204)


app = Starlette(routes=[Route("/", receive, methods=["POST"])])
