"""``examhook endpoints``: who receives webhooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Annotated

import typer

from examhook.delivery.endpoint import BodyFormat, ContentType, Endpoint, EndpointOrigin, Privacy
from examhook.delivery.url import EndpointUrlError
from examhook.events.catalogue import WEBHOOK_TYPES
from examhook.workflows.administration.endpoint_changes import LEFT_PARAMETER
from examhook.workflows.administration.endpoint_removal import remove_endpoint
from examhook.workflows.administration.endpoints import EndpointFilters, add_endpoint
from examhook.workflows.delivering.webhook_request import own_headers
from examhook_cli.options import header_map, split_list, type_patterns
from examhook_cli.commands import endpoint_changes
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
    format_hint,
)
from examhook_cli.commands.endpoint_output import endpoint_facts, print_endpoint, print_endpoints
from examhook_cli.commands.endpoint_testing import send_test
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.output import hint, print_json, say, waiting

app = typer.Typer(help="Say who receives webhooks.", no_args_is_help=True)


@app.command()
def add(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send events to, by POST.")],
    *,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--types",
            "--type",
            metavar="TYPE,…",
            help="Only these types (submission.forced, exam.*); else all but submission.started and exam.verified.",
        ),
    ] = None,
    exams: Annotated[list[str] | None, typer.Option("--exam", metavar="ID,…", help="Only about these exams.")] = None,
    accounts: Annotated[
        list[str] | None, typer.Option("--account", metavar="NAME,…", help="Only of these accounts.")
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="A note for people.")] = "",
    privacy: Annotated[Privacy, typer.Option(help=PRIVACY_HELP)] = Privacy.FULL,
    body_format: Annotated[BodyFormat, typer.Option("--format", help=FORMAT_HELP)] = BodyFormat.CLOUDEVENTS,
    content_type: Annotated[ContentType, typer.Option("--content-type", help=CONTENT_TYPE_HELP)] = ContentType.JSON,
    headers: Annotated[list[str] | None, typer.Option("--header", metavar="'NAME: VALUE'", help=HEADER_HELP)] = None,
    rate: Annotated[float, typer.Option(min=0, metavar="N", help=RATE_HELP)] = 0,
    test: Annotated[bool, typer.Option("--test", help="Send it a test at once, as endpoints test does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a webhook and print its id and its signing secret."""
    check_usable(url)
    check_rate_option(rate)
    patterns = type_patterns(types, WEBHOOK_TYPES, "--types")
    filters = EndpointFilters(patterns, split_list(exams), split_list(accounts), privacy, body_format, content_type)
    chosen_headers = header_map(headers)
    installation = installation_of(context)
    same_url = [each.endpoint_id for each in installation.endpoints.list_all() if each.url == url]
    endpoint, secret = _add(installation, url, filters, description, chosen_headers, rate)
    if as_json:
        print_json({**endpoint_facts(endpoint), "secret": secret})
    else:
        say(f"Endpoint {endpoint.endpoint_id} gets what comes from now on.")
        say(f"Its signing secret: {secret}")
        hint(f"Once more: examhook endpoints show {endpoint.endpoint_id} --reveal-secret")
    if same_url:
        hint(f"The same URL also belongs to {', '.join(same_url)}: what both filters let through comes twice.")
    if (advice := format_hint(url, body_format)) is not None:
        hint(advice)
    if test:
        hint(send_test(installation, endpoint, timeout_s=60).sentence)


def _add(  # noqa: PLR0913, PLR0917 - an endpoint has these parts
    installation: Installation,
    url: str,
    filters: EndpointFilters,
    description: str,
    headers: Mapping[str, str],
    rate: float,
) -> tuple[Endpoint, str]:
    stack = installation.stack
    try:
        return add_endpoint(
            url,
            installation.endpoints,
            installation.secrets_key,
            time.time,
            filters=filters,
            description=description,
            headers=headers,
            rate_per_second=rate,
            allow_http=stack.flag("AllowHttpEndpoints"),
            allow_private=stack.flag("AllowPrivateEndpoints"),
        )
    except EndpointUrlError as error:
        raise CommandError(f"{error} {STACK_DECIDES}") from None


@app.command("list")
def list_endpoints(
    context: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False
) -> None:
    """List webhooks, oldest first."""
    found = installation_of(context).endpoints.list_all()
    if as_json:
        print_json([endpoint_facts(endpoint) for endpoint in found])
    else:
        print_endpoints(found)


@app.command()
def show(
    context: typer.Context,
    endpoint_id: EndpointId,
    *,
    reveal_secret: Annotated[
        bool, typer.Option("--reveal-secret", help="Print its signing secret and what its headers hold too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print one webhook: what it gets and how it has been doing."""
    installation = installation_of(context)
    endpoint = find_endpoint(installation, endpoint_id)
    revealed: Mapping[str, object] = {}
    if reveal_secret:
        key = installation.secrets_key
        revealed = {
            "secret": key.open(endpoint_id, endpoint.sealed_secret),
            **({"headers": own_headers(endpoint, key)} if endpoint.header_names else {}),
        }
    if as_json:
        print_json({**endpoint_facts(endpoint), **revealed})
    else:
        print_endpoint(endpoint, revealed)


@app.command()
def remove(
    context: typer.Context,
    endpoint_id: EndpointId,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> None:
    """Remove a webhook, its secret, and what still waits to be sent to it."""
    installation = installation_of(context)
    endpoint = find_endpoint(installation, endpoint_id)
    if endpoint.origin is EndpointOrigin.PARAMETER and endpoint.disabled_reason != LEFT_PARAMETER:
        raise CommandError(
            f"Endpoint {endpoint_id} is in the stack's parameter WebhookUrls: take it out there and deploy again."
        )
    if not yes:
        _ask(endpoint)
    with waiting("Removing"):
        cancelled = remove_endpoint(endpoint, installation.endpoints, installation.deliveries, now=time.time)
    if cancelled is None:
        raise CommandError(f"Endpoint {endpoint_id} was removed by someone else.")
    say(f"Endpoint {endpoint_id} is removed.")
    if cancelled:
        hint(f"Deliveries that waited for it and are cancelled: {cancelled:,}.")


@app.command("test")
def try_endpoint(
    context: typer.Context,
    endpoint_id: EndpointId,
    *,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for what becomes of it.")
    ] = 60,
    as_json: AsJson = False,
) -> None:
    """Send a signed endpoint.test the way that every event goes, wait, and print what came of it."""
    installation = installation_of(context)
    trial = send_test(installation, find_endpoint(installation, endpoint_id), timeout)
    if as_json:
        print_json(trial.facts())
    elif trial.delivered:
        say(trial.sentence)
    if not trial.delivered:
        raise CommandError(trial.sentence)


app.command()(endpoint_changes.update)
app.command()(endpoint_changes.enable)
app.command()(endpoint_changes.disable)
app.command()(endpoint_changes.rotate_secret)


def _ask(endpoint: Endpoint) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked: add --yes", param_hint="--yes")
    typer.confirm(f"Remove {endpoint.endpoint_id} ({endpoint.url}) for good?", abort=True)
