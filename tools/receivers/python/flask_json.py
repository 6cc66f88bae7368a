"""Flask's request.get_json(), as in its documentation."""

from flask import Flask, request

app = Flask(__name__)
seen: set[str] = set()


@app.post("/")
def receive() -> tuple[str, int]:
    event = request.get_json()
    if request.headers["webhook-id"] not in seen:
        print(event["type"], event["id"], flush=True)
    seen.add(request.headers["webhook-id"])
    return "", 204
