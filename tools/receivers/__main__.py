"""``python -m tools.receivers``: run the receiver matrix and write docs/receivers.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.processes import PROJECT
from tools.progress import progress
from tools.receivers.environments import RuntimeMissingError
from tools.receivers.matrix import Measured, measure
from tools.receivers.page import page
from tools.receivers.receivers import RECEIVERS
from tools.receivers.requests_to_send import Secrets

PAGE = PROJECT / "docs" / "receivers.md"


def main() -> int:
    """Return 0 if every receiver that ran did what its row expects."""
    parser = argparse.ArgumentParser(prog="python -m tools.receivers", description="Run the receiver matrix.")
    parser.add_argument("--output", type=Path, default=PAGE, help="page to write")
    options = parser.parse_args()
    say = progress()
    secrets = Secrets.create()
    results: dict[str, Measured | str] = {}
    failed = False
    for receiver in RECEIVERS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                measured = measure(receiver, secrets, Path(folder))
            except RuntimeMissingError as error:
                results[receiver.name] = str(error)
                say(f"{receiver.name}: not run: {error}")
                continue
        results[receiver.name] = measured
        differences = measured.differs_from(receiver)
        failed = failed or bool(differences)
        say(f"{receiver.name}: {'as expected' if not differences else '; '.join(differences)}")
    options.output.write_text(page(results), encoding="utf-8")
    say(f"written to {options.output}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
