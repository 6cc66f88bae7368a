"""What the commands about endpoints have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import typer

from examhook.delivery.chat_responses import product_of
from examhook.delivery.endpoint import BodyFormat, Endpoint
from examhook.delivery.rate_limit import MAX_PER_SECOND, MIN_PER_SECOND, BadRateError, check_rate
from examhook.delivery.url import EndpointUrlError, check_endpoint_url
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation

EndpointId = Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id, as endpoints list prints it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

PRIVACY_HELP = (
    "How much it is told: everything; all but names and links, under pseudonyms; or ids only (docs/events/README.md)."
)
CONTENT_TYPE_HELP = "json: application/json; cloudevents: application/cloudevents+json."
FORMAT_HELP = "What it takes: events for programs, or messages for people as that chat's incoming webhooks take them."
HEADER_HELP = "A header that each request carries besides; may be repeated. What it holds is encrypted."
RATE_HELP = f"At most so many attempts per second, from {MIN_PER_SECOND:g} to {MAX_PER_SECOND:g}; 0 for no limit."
_CHATS: Mapping[BodyFormat, re.Pattern[str]] = {
    BodyFormat.SLACK: re.compile(r"\.hooks\.slack(-gov)?\.com/"),
    BodyFormat.TEAMS: re.compile(r"\.(logic\.azure|api\.powerplatform|webhook\.office)\.com/"),
    BodyFormat.DISCORD: re.compile(r"\.discord(app)?\.com/api/"),
}
"""Where the products' incoming webhooks are: host, after a dot, and path."""
STACK_DECIDES = "The stack's AllowHttpEndpoints and AllowPrivateEndpoints decide."


def find_endpoint(installation: Installation, endpoint_id: str) -> Endpoint:
    """One endpoint; raises CommandError where there is none."""
    endpoint = installation.endpoints.get(endpoint_id)
    if endpoint is None:
        raise CommandError(f"There is no endpoint {endpoint_id}: see examhook endpoints list.")
    return endpoint


def check_rate_option(rate: float | None) -> None:
    """A rate that no endpoint may have is wrong usage; raises BadParameter."""
    try:
        if rate:
            check_rate(rate)
    except BadRateError as error:
        raise typer.BadParameter(f"{error} 0 is for no limit.", param_hint="--rate") from None


def format_hint(url: str, body_format: BodyFormat) -> str | None:
    """What to say where ``url`` looks like a chat's and the format is another; None where all is well."""
    address = urlsplit(url)
    place = f".{address.hostname or ''}{address.path}"
    found = next((each for each, pattern in _CHATS.items() if pattern.search(place)), None)
    if found is None or found is body_format:
        return None
    return f"That looks like a webhook of {product_of(found)}, which takes --format {found.value} only."


def check_usable(url: str, hint: str = "URL") -> None:
    """What no installation allows is wrong usage; raises BadParameter."""
    try:
        check_endpoint_url(url, allow_http=True, allow_private=True)
    except EndpointUrlError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None
