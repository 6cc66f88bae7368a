"""``python -m examhook_cli.demo``: plays the demo; exit status 0 only if expected and received agree."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from examhook_cli.demo.demo_stack import CommandFailedError
from examhook_cli.demo.narrator import Narrator
from examhook_cli.demo.scenario_run import play


def main(
    picture: Annotated[str | None, typer.Option(metavar="FILE", help="Keep what is printed as an SVG picture.")] = None,
) -> None:
    """Play a scenario on the local stack and compare what was expected with what came."""
    narrator = Narrator()
    began_at = time.monotonic()
    try:
        agrees = play(narrator)
    except CommandFailedError as failed:
        narrator.verdict(str(failed), good=False)
        sys.exit(1)
    seconds = f"{time.monotonic() - began_at:.0f} s"
    if agrees:
        narrator.verdict(
            f"Everything that happened was announced, once and signed, and nothing else. ({seconds})", good=True
        )
    else:
        narrator.verdict(f"What came is not what was expected. ({seconds})", good=False)
    if picture:
        narrator.save_picture(picture)
    sys.exit(0 if agrees else 1)


if __name__ == "__main__":
    typer.run(main)
