"""``python -m examhook_cli.demo``: runs the demo; exit status 0 only if received events match expected events."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from examhook_cli.demo.demo_stack import CommandFailedError
from examhook_cli.demo.narrator import Narrator
from examhook_cli.demo.scenario_run import run_scenario


def main(
    picture: Annotated[str | None, typer.Option(metavar="FILE", help="Save the output as an SVG image.")] = None,
) -> None:
    """Run a scenario and compare sent with received events."""
    narrator = Narrator()
    started_at = time.monotonic()
    try:
        agrees = run_scenario(narrator)
    except CommandFailedError as failed:
        narrator.verdict(str(failed), good=False)
        sys.exit(1)
    duration = f"{time.monotonic() - started_at:.0f} s"
    if agrees:
        narrator.verdict(f"Every change was announced once and signed, and nothing else was. ({duration})", good=True)
    else:
        narrator.verdict(f"The received events differ from the expected events. ({duration})", good=False)
    if picture:
        narrator.save_picture(picture)
    sys.exit(0 if agrees else 1)


if __name__ == "__main__":
    typer.run(main)
