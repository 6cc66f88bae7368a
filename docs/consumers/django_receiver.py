"""Receives webhooks with Django. Put the view into views.py and the path into urls.py of your project."""

import os

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks import Webhook, WebhookVerificationError  # pip install django standardwebhooks

webhook = Webhook(os.environ["EXAMHOOK_SECRET"])  # whsec_…
seen: set[str] = set()  # keep these ids in your database


@csrf_exempt  # the signature replaces the CSRF token
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    try:
        event = webhook.verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return HttpResponse(status=400)
    webhook_id = request.headers["webhook-id"]
    if webhook_id not in seen:
        print(event["type"], event["id"], flush=True)  # your work, in less than 15 seconds
        seen.add(webhook_id)
    return HttpResponse(status=204)


urlpatterns = [path("", receive)]
