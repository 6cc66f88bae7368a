"""A Pydantic model as FastAPI's body, as in its documentation."""

from typing import Annotated

from fastapi import FastAPI, Header
from pydantic import BaseModel


class Event(BaseModel):
    type: str
    id: str


app = FastAPI()
seen: set[str] = set()


@app.post("/", status_code=204)
async def receive(event: Event, webhook_id: Annotated[str, Header()]) -> None:
    if webhook_id not in seen:
        print(event.type, event.id, flush=True)
    seen.add(webhook_id)
