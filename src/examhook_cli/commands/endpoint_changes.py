"""``examhook endpoints update``, ``enable``, ``disable`` and ``rotate-secret``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from examhook.delivery.endpoint import BodyFormat, ContentType, Privacy
from examhook.delivery.url import EndpointUrlError
from examhook.events.catalogue import WEBHOOK_TYPES
from examhook.workflows.administration import endpoint_changes as changes
from examhook_cli.options import header_map, span_s, split_list, type_patterns
from examhook_cli.commands.endpoint_options import (
    CONTENT_TYPE_HELP,
    FORMAT_HELP,
    HEADER_HELP,
    PRIVACY_HELP,
    RATE_HELP,
    STACK_DECIDES,
    AsJson,
    EndpointId,
    check_rate_option,
    check_usable,
    find_endpoint,
)
from examhook_cli.commands.endpoint_output import endpoint_facts
from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.output import hint, print_json, say, time_text


def update(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    endpoint_id: EndpointId,
    *,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where to send events to from now on.")] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--types",
            "--type",
            metavar="TYPE,…",
            help="Only these types; '' for all but submission.started and exam.verified.",
        ),
    ] = None,
    exams: Annotated[
        list[str] | None, typer.Option("--exam", metavar="ID,…", help="Only about these exams; '' for all.")
    ] = None,
    accounts: Annotated[
        list[str] | None, typer.Option("--account", metavar="NAME,…", help="Only of these accounts; '' for all.")
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="A note for people.")] = None,
    privacy: Annotated[Privacy | None, typer.Option(help=PRIVACY_HELP)] = None,
    body_format: Annotated[BodyFormat | None, typer.Option("--format", help=FORMAT_HELP)] = None,
    content_type: Annotated[ContentType | None, typer.Option("--content-type", help=CONTENT_TYPE_HELP)] = None,
    headers: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="'NAME: VALUE'", help=f"{HEADER_HELP} Takes the place of all; '' for none."),
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0, metavar="N", help=RATE_HELP)] = None,
    as_json: AsJson = False,
) -> None:
    """Change a webhook; what is not named stays. What waits is sent as it is then."""
    if url is not None:
        check_usable(url, "--url")
    check_rate_option(rate)
    wanted = changes.EndpointChanges(
        url=url,
        types=None if types is None else type_patterns(types, WEBHOOK_TYPES, "--types"),
        exam_ids=None if exams is None else split_list(exams),
        accounts=None if accounts is None else split_list(accounts),
        description=description,
        privacy=privacy,
        body_format=body_format,
        content_type=content_type,
        headers=None if headers is None else header_map(headers),
        rate_per_second=rate,
    )
    if wanted == changes.EndpointChanges():
        raise typer.BadParameter("say what is to change, by at least one option")
    installation = installation_of(context)
    try:
        endpoint = changes.update_endpoint(
            find_endpoint(installation, endpoint_id),
            wanted,
            installation.endpoints,
            installation.secrets_key,
            allow_http=installation.stack.flag("AllowHttpEndpoints"),
            allow_private=installation.stack.flag("AllowPrivateEndpoints"),
        )
    except EndpointUrlError as error:
        raise CommandError(f"{error} {STACK_DECIDES}") from None
    except changes.EndpointChangeError as error:
        raise CommandError(str(error)) from error
    if as_json:
        print_json(endpoint_facts(endpoint))
    else:
        say(f"Endpoint {endpoint_id} is changed.")


def enable(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Send to a webhook again, beginning with what it missed."""
    installation = installation_of(context)
    endpoint = find_endpoint(installation, endpoint_id)
    try:
        was_disabled = changes.enable_endpoint(endpoint, installation.endpoints, installation.deliveries)
    except changes.EndpointChangeError as error:
        raise CommandError(str(error)) from error
    if not was_disabled:
        say(f"Endpoint {endpoint_id} is enabled already.")
        return
    say(f"Endpoint {endpoint_id} is enabled; what it missed follows within a minute, oldest first.")


def disable(
    context: typer.Context,
    endpoint_id: EndpointId,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who look at it later.")] = "by hand",
) -> None:
    """Send nothing to a webhook until it is enabled; what it misses is kept."""
    if reason == changes.LEFT_PARAMETER:
        raise typer.BadParameter("that is what the stack says of its own endpoints", param_hint="--reason")
    installation = installation_of(context)
    find_endpoint(installation, endpoint_id)
    if installation.endpoints.disable(endpoint_id, reason, int(time.time())) is None:
        say(f"Endpoint {endpoint_id} is disabled already.")
    else:
        say(f"Endpoint {endpoint_id} is disabled.")


def rotate_secret(
    context: typer.Context,
    endpoint_id: EndpointId,
    *,
    overlap: Annotated[
        str, typer.Option(metavar="SPAN", help="How long the old secret signs beside the new one: 0 to 7d.")
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Give a webhook a new signing secret and print it; for a while each request is signed by the old one too."""
    overlap_s = span_s(overlap, changes.MAX_OVERLAP_S, "--overlap")
    installation = installation_of(context)
    endpoint = find_endpoint(installation, endpoint_id)
    try:
        secret, until = changes.rotate_secret(
            endpoint, overlap_s, installation.endpoints, installation.secrets_key, now=time.time
        )
    except changes.EndpointChangeError as error:
        raise CommandError(str(error)) from error
    if as_json:
        print_json({"id": endpoint_id, "secret": secret, "previous_secret_until": time_text(until) or None})
        return
    say(f"The new signing secret of {endpoint_id}: {secret}")
    if until is None:
        hint("The old one, and any before it, signs nothing more.")
    else:
        hint(
            f"Until {time_text(until)} each request carries a signature by the old one too; give the receiver the new."
        )
