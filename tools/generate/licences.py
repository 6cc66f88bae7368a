"""Writes docs/licences.md: the packages of the functions and of the command line, with their licences.

``python -m tools.generate.licences`` writes the page, ``--check`` compares it. The lock file lists the packages. Their
metadata comes from the environment that was installed from the same lock.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from tools.markdown import markdown_table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)

# Licence names of older packages, with their SPDX expressions.
SPDX = {
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "PSF": "PSF-2.0",
}
OPEN = ("MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "PSF-2.0", "MPL-2.0", "ISC")
"""Licences that permit distribution with a program under the MIT licence."""


def packed() -> list[str]:
    """Return the names of the packages of the functions."""
    return PIN.findall((ROOT / "src" / "requirements.txt").read_text())


def installed_with(names: list[str]) -> list[str]:
    """Return ``names`` and all their dependencies, sorted."""
    found: set[str] = set()
    to_see = list(names)
    while to_see:
        name = to_see.pop().lower()
        if name not in found:
            found.add(name)
            to_see += _needs(name)
    return sorted(found)


def _needs(name: str) -> Iterator[str]:
    for line in distribution(name).requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def licence(name: str) -> str:
    """Return the licence of a package as an SPDX expression; exit if it is not in OPEN."""
    said = distribution(name).metadata
    words = (said.get_all("License-Expression") or said.get_all("License") or [""])[0]
    classifiers = [one.rsplit(" :: ", 1)[-1] for one in said.get_all("Classifier") or [] if one.startswith("License")]
    expression = SPDX.get(words, words) if words and "\n" not in words else SPDX.get("".join(classifiers[:1]), "")
    if not all(one in OPEN for one in re.split(r" OR | AND ", expression)):
        raise SystemExit(
            f"{name} has the licence {expression or classifiers!r}. Check it, then add it to OPEN or SPDX."
        )
    return expression


def table(names: list[str]) -> str:
    """Return a table with one row per package."""
    rows = [(name, distribution(name).version, licence(name)) for name in names]
    return markdown_table(("package", "version", "licence"), rows)


def page() -> str:
    """Return the page."""
    in_functions = sorted(packed())
    command_line = [name for name in installed_with(["boto3", "rich", "typer"]) if name not in in_functions]
    return f"""# Licences

Examhook has the [MIT licence](../LICENSE). `make licences` writes this list of packages from the lock files; a test
compares them. `make sbom` writes a software bill of materials (`sbom.json`, CycloneDX) with the hashes of all packages
of the functions.

## Functions

{table(in_functions)}

The Lambda runtime includes boto3.

## Command line, in addition

{table(command_line)}
"""


if __name__ == "__main__":
    if "--check" in sys.argv:
        raise SystemExit(0 if PAGE.read_text() == page() else "docs/licences.md is not up to date: run make licences")
    PAGE.write_text(page())
