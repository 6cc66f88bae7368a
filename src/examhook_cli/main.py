"""The command line ``examhook``: its global options, its commands, and what its exit status means.

Exit status: 0 done, 1 failed (one sentence on standard error says why), 2 wrong usage.
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
    """Turns the errors that a person can do something about into one sentence and exit status 1."""

    # typer.Context is the public name of the class that Typer itself takes from a private module.
    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command that was named."""
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
    help="Turns an OnlineExamMaker account into an event source: see its polls, events, webhooks and deliveries.",
    no_args_is_help=True,
    # A traceback with the values of variables would show secrets.
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it with the option's value
    if wanted:
        print(f"examhook {version('examhook')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    *,
    stack: Annotated[
        str, typer.Option(envvar="EXAMHOOK_STACK", metavar="NAME", help="The CloudFormation stack to speak to.")
    ] = DEFAULT_STACK_NAME,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="The AWS region that it is in.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="The profile of AWS credentials to use.")] = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep what the global options say for the command."""
    del show_version  # its callback has answered
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
    """What the installed ``examhook`` runs."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a candidate's name is no reason to fail.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        app.rich_markup_mode = None  # help and usage errors without boxes
    app(prog_name="examhook")


if __name__ == "__main__":
    run()
