"""Starlette's request.json(), as in its documentation."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

seen: set[str] = set()


async def receive(request: Request) -> Response:
    event = await request.json()
    if request.headers["webhook-id"] not in seen:
        print(event["type"], event["id"], flush=True)
    seen.add(request.headers["webhook-id"])
    return Response(status_code=204)


app = Starlette(routes=[Route("/", receive, methods=["POST"])])
