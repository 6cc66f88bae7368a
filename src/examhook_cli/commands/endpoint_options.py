"""Options, help texts and checks that ``endpoints add`` and ``endpoints update`` share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import typer

from examhook.delivery.chat_responses import product_of
from examhook.delivery.endpoint import BodyFormat
from examhook.delivery.rate_limit import MAX_PER_SECOND, MIN_PER_SECOND, BadRateError, check_rate
from examhook.delivery.url import EndpointUrlError, check_endpoint_url
from examhook_cli.errors import CommandError

PRIVACY_HELP = "Data to send: all, pseudonyms instead of names and links, or ids only (docs/events/README.md)."
CONTENT_TYPE_HELP = "json: application/json; cloudevents: application/cloudevents+json."
FORMAT_HELP = "Body format: events for programs, or messages for a chat's incoming webhook."
HEADER_HELP = "Add this header to each request (repeatable); values are stored encrypted."
RATE_HELP = f"Maximum attempts per second, {MIN_PER_SECOND:g} to {MAX_PER_SECOND:g}; 0 for no limit."
_CHAT_URLS: Mapping[BodyFormat, re.Pattern[str]] = {
    BodyFormat.SLACK: re.compile(r"\.hooks\.slack(-gov)?\.com/"),
    BodyFormat.TEAMS: re.compile(r"\.(logic\.azure|api\.powerplatform|webhook\.office)\.com/"),
    BodyFormat.DISCORD: re.compile(r"\.discord(app)?\.com/api/"),
}
"""Pattern of the URLs of each product's incoming webhooks, written as ``.host/path``."""


def check_rate_option(rate: float | None) -> None:
    """Raises BadParameter for a rate out of range."""
    try:
        if rate:
            check_rate(rate)
    except BadRateError as error:
        raise typer.BadParameter(f"{error} Use 0 for no limit.", param_hint="--rate") from None


def check_url_option(url: str, option: str) -> None:
    """Raises BadParameter for a URL that no stack accepts."""
    try:
        check_endpoint_url(url, allow_http=True, allow_private=True)
    except EndpointUrlError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


@contextmanager
def url_errors() -> Iterator[None]:
    """Turns the stack's rejection of a URL into CommandError."""
    try:
        yield
    except EndpointUrlError as error:
        advice = "The stack's parameters AllowHttpEndpoints and AllowPrivateEndpoints control this."
        raise CommandError(f"{error} {advice}") from None


def format_hint(url: str, body_format: BodyFormat) -> str | None:
    """Advice if ``url`` belongs to a chat that needs another format; None otherwise."""
    parts = urlsplit(url)
    host_and_path = f".{parts.hostname or ''}{parts.path}"
    chat = next((each for each, pattern in _CHAT_URLS.items() if pattern.search(host_and_path)), None)
    if chat is None or chat is body_format:
        return None
    return f"This looks like a webhook of {product_of(chat)}, which accepts only --format {chat.value}."
