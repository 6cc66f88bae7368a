"""``python -m tools.faults.fuzz --bodies N``: give hostile input to every reader, and tell what was no typed error.

Exit status 0 when every reader kept to its own errors. The same seed gives the same bodies.
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
"""Most processor time that a reader may use for one body; other programs on the machine do not count."""
_REPORT_EVERY = 50_000


def bodies(seed: int, count: int) -> Iterator[bytes]:
    """So many bodies from ``seed``."""
    chance = random.Random(seed)  # noqa: S311 - the same again from the same seed
    for _ in range(count):
        yield body(chance)


def problem_with(reader: Reader, given: bytes) -> str | None:
    """What ``reader`` did with a body that it may not do; None if it kept to its errors."""
    began_s = time.thread_time()
    try:
        reader.read(given)
    except reader.errors:
        pass
    except Exception as error:  # noqa: BLE001 - anything else is what is looked for
        return f"{reader.name}: {type(error).__name__}"
    took_s = time.thread_time() - began_s
    return f"{reader.name}: took {took_s:.1f} s" if took_s > _SLOW_S else None


def main() -> int:
    """Exit status 1 when a reader raised anything but its own errors, or took too long."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults.fuzz", description="Give hostile input to every reader."
    )
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found: dict[str, bytes] = {}
    began_s, memory_kb = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, one in enumerate(bodies(given.seed, given.bodies), start=1):
        for reader in READERS:
            problem = problem_with(reader, one)
            if problem is not None and problem not in found:
                found[problem] = one
                sys.stdout.write(f"{problem}: {one[:200]!r}\n")
        if number % _REPORT_EVERY == 0:
            sys.stdout.write(f"{number} bodies after {time.monotonic() - began_s:.0f} s\n")
            sys.stdout.flush()
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kb) / 1024
    sys.stdout.write(
        f"seed {given.seed}: {given.bodies} bodies, each to {len(READERS)} readers, in"
        f" {time.monotonic() - began_s:.0f} s of one process; {len(found)} kinds of defects;"
        f" peak memory {grown_mb:.0f} MB above the start\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
