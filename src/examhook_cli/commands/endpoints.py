"""``examhook endpoints``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated

import typer

from examhook.delivery.endpoint import BodyFormat, ContentType, EndpointOrigin, Privacy
from examhook.events.catalogue import WEBHOOK_TYPES
from examhook.workflows.administration.endpoint_changes import LEFT_PARAMETER, EndpointChanges, remove_endpoint
from examhook.workflows.administration.endpoints import add_endpoint
from examhook.workflows.delivering.webhook_request import custom_headers
from examhook_cli.commands import endpoint_changes
from examhook_cli.commands.endpoint_options import (
    CONTENT_TYPE_HELP,
    FORMAT_HELP,
    HEADER_HELP,
    PRIVACY_HELP,
    RATE_HELP,
    check_rate_option,
    check_url_option,
    format_hint,
    url_errors,
)
from examhook_cli.commands.endpoint_output import endpoint_facts, print_endpoint, print_endpoints
from examhook_cli.commands.endpoint_testing import send_test
from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.options import AsJson, AsJsonArray, EndpointArgument, Yes, parse_headers, parse_types, split_list
from examhook_cli.output import confirm, hint, print_json, say, waiting

app = typer.Typer(help="Manage webhook endpoints.", no_args_is_help=True)


@app.command()
def add(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="URL to send events to, by POST.")],
    *,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--types",
            "--type",
            metavar="TYPE,…",
            help="Send only these types (default: all except submission.started and exam.verified).",
        ),
    ] = None,
    exams: Annotated[
        list[str] | None, typer.Option("--exam", metavar="ID,…", help="Send only events of these exams.")
    ] = None,
    accounts: Annotated[
        list[str] | None, typer.Option("--account", metavar="NAME,…", help="Send only events of these accounts.")
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="Note for operators.")] = "",
    privacy: Annotated[Privacy, typer.Option(help=PRIVACY_HELP)] = Privacy.FULL,
    body_format: Annotated[BodyFormat, typer.Option("--format", help=FORMAT_HELP)] = BodyFormat.CLOUDEVENTS,
    content_type: Annotated[ContentType, typer.Option("--content-type", help=CONTENT_TYPE_HELP)] = ContentType.JSON,
    headers: Annotated[list[str] | None, typer.Option("--header", metavar="'NAME: VALUE'", help=HEADER_HELP)] = None,
    rate: Annotated[float, typer.Option(min=0, metavar="N", help=RATE_HELP)] = 0,
    test: Annotated[bool, typer.Option("--test", help="Send a test event, as endpoints test does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a webhook and print its id and signing secret.

    Example: examhook endpoints add https://example.com/hook --types 'submission.*' --test
    """
    check_url_option(url, "URL")
    check_rate_option(rate)
    settings = EndpointChanges(
        types=parse_types(types, WEBHOOK_TYPES, "--types"),
        exam_ids=split_list(exams),
        accounts=split_list(accounts),
        description=description,
        privacy=privacy,
        body_format=body_format,
        content_type=content_type,
        headers=parse_headers(headers),
        rate_per_second=rate,
    )
    installation = installation_of(context)
    same_url = [each.endpoint_id for each in installation.endpoints.list_all() if each.url == url]
    with url_errors():
        endpoint, secret = add_endpoint(
            url,
            installation.endpoints,
            installation.secrets_key,
            time.time,
            changes=settings,
            allow_http=installation.stack.flag("AllowHttpEndpoints"),
            allow_private=installation.stack.flag("AllowPrivateEndpoints"),
        )
    if as_json:
        print_json({**endpoint_facts(endpoint), "secret": secret})
    else:
        say(f"Endpoint {endpoint.endpoint_id} receives new events from now on.")
        say(f"Signing secret: {secret}")
        hint(f"To print it again: examhook endpoints show {endpoint.endpoint_id} --reveal-secret")
    if same_url:
        hint(f"{', '.join(same_url)} has the same URL: events that match both filters arrive twice.")
    if (advice := format_hint(url, body_format)) is not None:
        hint(advice)
    if test:
        hint(send_test(installation, endpoint, timeout_s=60).sentence)


@app.command("list")
def list_endpoints(context: typer.Context, *, as_json: AsJsonArray = False) -> None:
    """List webhooks, oldest first.

    Example: examhook endpoints list --json
    """
    endpoints = installation_of(context).endpoints.list_all()
    if as_json:
        print_json([endpoint_facts(endpoint) for endpoint in endpoints])
    else:
        print_endpoints(endpoints)


@app.command()
def show(
    context: typer.Context,
    endpoint_id: EndpointArgument,
    *,
    reveal_secret: Annotated[
        bool, typer.Option("--reveal-secret", help="Also print the signing secret and header values.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the settings and health of a webhook.

    Example: examhook endpoints show ep_1 --reveal-secret
    """
    installation = installation_of(context)
    endpoint = installation.endpoint(endpoint_id)
    revealed: Mapping[str, object] = {}
    if reveal_secret:
        key = installation.secrets_key
        revealed = {
            "secret": key.open(endpoint_id, endpoint.sealed_secret),
            **({"headers": custom_headers(endpoint, key)} if endpoint.header_names else {}),
        }
    if as_json:
        print_json({**endpoint_facts(endpoint), **revealed})
    else:
        print_endpoint(endpoint, revealed)


@app.command()
def remove(context: typer.Context, endpoint_id: EndpointArgument, *, yes: Yes = False) -> None:
    """Remove a webhook, its secret and its waiting deliveries.

    Example: examhook endpoints remove ep_1
    """
    installation = installation_of(context)
    endpoint = installation.endpoint(endpoint_id)
    if endpoint.origin is EndpointOrigin.PARAMETER and endpoint.disabled_reason != LEFT_PARAMETER:
        raise CommandError(
            f"The stack's parameter WebhookUrls contains endpoint {endpoint_id}: remove it there and deploy again."
        )
    if not yes:
        confirm(f"Permanently remove {endpoint.endpoint_id} ({endpoint.url})?")
    with waiting("Removing …"):
        cancelled = remove_endpoint(endpoint, installation.endpoints, installation.deliveries, now=time.time)
    if cancelled is None:
        raise CommandError(f"Another command already removed endpoint {endpoint_id}.")
    say(f"Endpoint {endpoint_id} is removed.")
    if cancelled:
        hint(f"Cancelled deliveries: {cancelled:,}.")


@app.command("test")
def send_test_event(
    context: typer.Context,
    endpoint_id: EndpointArgument,
    *,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Maximum wait for the result.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Send a test event to a webhook and print the result.

    The signed endpoint.test takes the same path as every other event.

    Example: examhook endpoints test ep_1
    """
    installation = installation_of(context)
    result = send_test(installation, installation.endpoint(endpoint_id), timeout)
    if as_json:
        print_json(result.facts())
    elif result.is_delivered:
        say(result.sentence)
    if not result.is_delivered:
        raise CommandError(result.sentence)


app.command()(endpoint_changes.update)
app.command()(endpoint_changes.enable)
app.command()(endpoint_changes.disable)
app.command()(endpoint_changes.rotate_secret)
