"""A Django view without @csrf_exempt."""

import json

from django.http import HttpRequest, HttpResponse
from django.urls import path

seen: set[str] = set()


def receive(request: HttpRequest) -> HttpResponse:
    event = json.loads(request.body)
    if request.headers["webhook-id"] not in seen:
        print(event["type"], event["id"], flush=True)
    seen.add(request.headers["webhook-id"])
    return HttpResponse(status=204)


urlpatterns = [path("", receive)]
