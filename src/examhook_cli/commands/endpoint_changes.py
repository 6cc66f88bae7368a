"""``examhook endpoints update``, ``enable``, ``disable`` and ``rotate-secret``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from examhook.delivery.endpoint import BodyFormat, ContentType, Privacy
from examhook.events.catalogue import WEBHOOK_TYPES
from examhook.workflows.administration import endpoint_changes as changes
from examhook_cli.commands.endpoint_options import (
    CONTENT_TYPE_HELP,
    FORMAT_HELP,
    HEADER_HELP,
    PRIVACY_HELP,
    RATE_HELP,
    check_rate_option,
    check_url_option,
    url_errors,
)
from examhook_cli.commands.endpoint_output import endpoint_facts
from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.options import AsJson, EndpointArgument, parse_duration_s, parse_headers, parse_types, split_list
from examhook_cli.output import hint, print_json, say, time_text


def update(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    endpoint_id: EndpointArgument,
    *,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Send events to this URL.")] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--types",
            "--type",
            metavar="TYPE,…",
            help="Send only these types; '' for all except submission.started and exam.verified.",
        ),
    ] = None,
    exams: Annotated[
        list[str] | None, typer.Option("--exam", metavar="ID,…", help="Send only events of these exams; '' for all.")
    ] = None,
    accounts: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="NAME,…", help="Send only events of these accounts; '' for all."),
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="Note for operators.")] = None,
    privacy: Annotated[Privacy | None, typer.Option(help=PRIVACY_HELP)] = None,
    body_format: Annotated[BodyFormat | None, typer.Option("--format", help=FORMAT_HELP)] = None,
    content_type: Annotated[ContentType | None, typer.Option("--content-type", help=CONTENT_TYPE_HELP)] = None,
    headers: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="'NAME: VALUE'", help=f"{HEADER_HELP} Replaces all headers; '' for none."),
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0, metavar="N", help=RATE_HELP)] = None,
    as_json: AsJson = False,
) -> None:
    """Change the given settings of a webhook.

    Waiting deliveries use the new settings.

    Example: examhook endpoints update ep_1 --types 'submission.*' --rate 5
    """
    if url is not None:
        check_url_option(url, "--url")
    check_rate_option(rate)
    requested = changes.EndpointChanges(
        url=url,
        types=None if types is None else parse_types(types, WEBHOOK_TYPES, "--types"),
        exam_ids=None if exams is None else split_list(exams),
        accounts=None if accounts is None else split_list(accounts),
        description=description,
        privacy=privacy,
        body_format=body_format,
        content_type=content_type,
        headers=None if headers is None else parse_headers(headers),
        rate_per_second=rate,
    )
    if requested == changes.EndpointChanges():
        raise typer.BadParameter("pass at least one option")
    installation = installation_of(context)
    with url_errors(), _change_errors():
        endpoint = changes.update_endpoint(
            installation.endpoint(endpoint_id),
            requested,
            installation.endpoints,
            installation.secrets_key,
            allow_http=installation.stack.flag("AllowHttpEndpoints"),
            allow_private=installation.stack.flag("AllowPrivateEndpoints"),
        )
    if as_json:
        print_json(endpoint_facts(endpoint))
    else:
        say(f"Endpoint {endpoint_id} is updated.")


def enable(context: typer.Context, endpoint_id: EndpointArgument) -> None:
    """Enable a webhook and send the events that it missed.

    Example: examhook endpoints enable ep_1
    """
    installation = installation_of(context)
    endpoint = installation.endpoint(endpoint_id)
    with _change_errors():
        was_disabled = changes.enable_endpoint(endpoint, installation.endpoints, installation.deliveries)
    if was_disabled:
        say(f"Endpoint {endpoint_id} is enabled; missed deliveries follow within a minute, oldest first.")
    else:
        say(f"Endpoint {endpoint_id} is already enabled.")


def disable(
    context: typer.Context,
    endpoint_id: EndpointArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Reason, which endpoints show prints.")] = "by hand",
) -> None:
    """Disable a webhook; its deliveries wait until it is enabled.

    Example: examhook endpoints disable ep_1 --reason 'receiver is moving'
    """
    if reason == changes.LEFT_PARAMETER:
        raise typer.BadParameter("this reason is reserved for endpoints of the stack", param_hint="--reason")
    installation = installation_of(context)
    installation.endpoint(endpoint_id)  # raises an error if it does not exist
    if installation.endpoints.disable(endpoint_id, reason, int(time.time())) is None:
        say(f"Endpoint {endpoint_id} is already disabled.")
    else:
        say(f"Endpoint {endpoint_id} is disabled.")


def rotate_secret(
    context: typer.Context,
    endpoint_id: EndpointArgument,
    *,
    overlap: Annotated[
        str, typer.Option(metavar="DURATION", help="Also sign with the old secret for this long: 0 to 7d.")
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Replace the signing secret and print the new one.

    Example: examhook endpoints rotate-secret ep_1 --overlap 2h
    """
    overlap_s = parse_duration_s(overlap, changes.MAX_OVERLAP_S, "--overlap")
    installation = installation_of(context)
    endpoint = installation.endpoint(endpoint_id)
    with _change_errors():
        secret, until = changes.rotate_secret(
            endpoint, overlap_s, installation.endpoints, installation.secrets_key, now=time.time
        )
    if as_json:
        print_json({"id": endpoint_id, "secret": secret, "previous_secret_until": time_text(until) or None})
        return
    say(f"New signing secret of {endpoint_id}: {secret}")
    if until is None:
        hint("No earlier secret signs requests any more.")
    else:
        hint(f"The old secret also signs requests until {time_text(until)}; update the receiver by then.")


@contextmanager
def _change_errors() -> Iterator[None]:
    try:
        yield
    except changes.EndpointChangeError as error:
        raise CommandError(str(error)) from error
