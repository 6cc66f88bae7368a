"""Lists the packages that the functions and the command line bring along, with their licences, in docs/licences.md.

``python -m tools.generate.licences`` writes, ``--check`` compares. The packages are read from the lock, what they say
of themselves from the environment that was installed from the same lock.
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

# Words of older packages that say which licence is meant, as SPDX writes it.
SPDX = {
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "PSF": "PSF-2.0",
}
OPEN = ("MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "PSF-2.0", "MPL-2.0", "ISC")
"""Licences that let the packages be passed on with a program under the MIT licence."""


def packed() -> list[str]:
    """Names of the packages in the functions' package."""
    return PIN.findall((ROOT / "src" / "requirements.txt").read_text())


def installed_with(names: list[str]) -> list[str]:
    """Names of everything that ``names`` bring along, themselves among them, sorted."""
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
    """The licence that a package states, as an SPDX expression; exits if it states none that is known to be open."""
    said = distribution(name).metadata
    words = (said.get_all("License-Expression") or said.get_all("License") or [""])[0]
    classifiers = [one.rsplit(" :: ", 1)[-1] for one in said.get_all("Classifier") or [] if one.startswith("License")]
    expression = SPDX.get(words, words) if words and "\n" not in words else SPDX.get("".join(classifiers[:1]), "")
    if not all(one in OPEN for one in re.split(r" OR | AND ", expression)):
        raise SystemExit(
            f"{name} states the licence {expression or classifiers!r}: look at it and add it to OPEN or SPDX"
        )
    return expression


def table(names: list[str]) -> str:
    """One line for each package."""
    rows = [(name, distribution(name).version, licence(name)) for name in names]
    return markdown_table(("package", "version", "licence"), rows)


def page() -> str:
    """The whole page."""
    in_functions = sorted(packed())
    command_line = [name for name in installed_with(["boto3", "rich", "typer"]) if name not in in_functions]
    return f"""# Licences

Examhook is under the [MIT licence](../LICENSE). What comes with it is written here by `make licences`, from the
locks; a test holds this page to them. `make sbom` writes a bill of materials in CycloneDX's form (`sbom.json`), with
the hashes of all packages of the functions.

## In the functions

{table(in_functions)}

boto3 comes with Lambda's runtime.

## In the command line, beside those

{table(command_line)}
"""


if __name__ == "__main__":
    if "--check" in sys.argv:
        raise SystemExit(0 if PAGE.read_text() == page() else "docs/licences.md is not up to date: run make licences")
    PAGE.write_text(page())
