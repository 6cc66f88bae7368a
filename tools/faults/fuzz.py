"""``python -m tools.faults.fuzz --bodies N``: give hostile input to every reader and report unexpected errors.

The same seed gives the same bodies.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections.abc import Iterator

from tools.faults.hostile_input import body
from tools.faults.readers import READERS, Reader

_SLOW_S = 2.0
"""Permitted processor time per body; the load of the machine does not change it."""
_REPORT_EVERY = 50_000


def bodies(seed: int, count: int) -> Iterator[bytes]:
    """Yield ``count`` bodies."""
    rng = random.Random(seed)  # noqa: S311 - reproducible
    for _ in range(count):
        yield body(rng)


def problem_with(reader: Reader, given: bytes) -> str | None:
    """Describe an unexpected error or a slow read; None if there was neither."""
    began_s = time.thread_time()
    try:
        reader.read(given)
    except reader.errors:
        pass
    except Exception as error:  # noqa: BLE001 - the search is for unexpected errors
        return f"{reader.name}: {type(error).__name__}"
    took_s = time.thread_time() - began_s
    return f"{reader.name}: took {took_s:.1f} s" if took_s > _SLOW_S else None


def main() -> int:
    """Return 0 if every reader raised only its own errors, and in time."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults.fuzz", description="Give hostile input to every reader."
    )
    parser.add_argument("--bodies", type=int, default=1_000_000, help="number of bodies")
    parser.add_argument("--seed", type=int, default=1, help="random seed")
    options = parser.parse_args()
    found: dict[str, bytes] = {}
    began_s, memory_kb = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, one in enumerate(bodies(options.seed, options.bodies), start=1):
        for reader in READERS:
            problem = problem_with(reader, one)
            if problem is not None and problem not in found:
                found[problem] = one
                sys.stdout.write(f"{problem}: {one[:200]!r}\n")
        if number % _REPORT_EVERY == 0:
            sys.stdout.write(f"{number} bodies after {time.monotonic() - began_s:.0f} s\n")
            sys.stdout.flush()
    took_s = time.monotonic() - began_s
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kb) / 1024
    sys.stdout.write(
        f"seed {options.seed}: {options.bodies} bodies for {len(READERS)} readers in {took_s:.0f} s;"
        f" {len(found)} kinds of defects; peak memory {grown_mb:.0f} MB above the start\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
