"""The CloudEvents SDK's from_http_event(), which takes a request without ce- headers as structured mode."""

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from flask import Flask, request

app = Flask(__name__)
seen: set[str] = set()


@app.post("/")
def receive() -> tuple[str, int]:
    event = from_http_event(HTTPMessage(headers=dict(request.headers), body=request.get_data()))
    if request.headers["webhook-id"] not in seen:
        print(event.get_type(), event.get_id(), flush=True)
    seen.add(request.headers["webhook-id"])
    return "", 204
