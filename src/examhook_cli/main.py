"""The program ``examhook``: global options, commands and exit statuses.

Exit status: 0 success, 1 failure (standard error says why), 2 wrong usage.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated

import typer
from typer.core import TyperGroup

from examhook_cli.commands import backfill, deliveries, doctor, endpoints, erase, events, listen, local, poll, simulate
from examhook_cli.errors import explain
from examhook_cli.installation import Installation
from examhook_cli.output import complain
from examhook_cli.stack import DEFAULT_STACK_NAME


class ExplainingGroup(TyperGroup):
    """Prints expected errors as one sentence and exits with status 1."""

    # typer.Context is the public name of a class that Typer imports from a private module.
    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the selected command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            sentence = explain(error)
            if sentence is None:
                raise
            complain(sentence)
            raise typer.Exit(1) from error


app = typer.Typer(
    name="examhook",
    cls=ExplainingGroup,
    help="Operate an Examhook stack: polls, events, webhooks and deliveries.",
    no_args_is_help=True,
    # Pretty tracebacks print the values of variables, which include secrets.
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it with the option's value
    if wanted:
        print(f"examhook {version('examhook')}")
        raise typer.Exit


@app.callback()
def global_options(
    context: typer.Context,
    *,
    stack: Annotated[
        str, typer.Option(envvar="EXAMHOOK_STACK", metavar="NAME", help="CloudFormation stack to use.")
    ] = DEFAULT_STACK_NAME,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="AWS region of the stack.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="AWS credentials profile to use.")] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Make the selected installation available to the command."""
    context.obj = Installation(stack_name=stack, region=region, profile=profile)


app.command()(poll.poll)
app.command()(backfill.backfill)
app.command()(doctor.doctor)
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(events.app, name="events")
app.add_typer(deliveries.app, name="deliveries")
app.command()(erase.erase)
app.command()(listen.listen)
app.command()(simulate.simulate)
app.add_typer(local.app, name="local")


def run() -> None:
    """Entry point of the installed program."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot display a candidate's name must not make the command fail.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        app.rich_markup_mode = None  # help and usage errors without boxes
    app(prog_name="examhook")


if __name__ == "__main__":
    run()
