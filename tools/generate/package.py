"""Writes docs/package.md: the size of the functions' package and the import time of each function.

Run by ``make package``. Each import is timed in a new process, in turn with boto3 alone, so that a busy machine slows
both; the median ratio counts. As in Lambda, boto3 has bytecode and the package has none.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from tools.markdown import markdown_table
from tools.processes import PROJECT as ROOT

PAGE = ROOT / "docs" / "package.md"
HANDLERS = sorted(
    path.stem for path in (ROOT / "src/examhook/handlers").glob("*.py") if "\ndef handler(" in path.read_text()
)
LIMIT_BYTES = 5_000_000
ROUNDS = 11

_HEAD = """# The functions' package

Written by `make package`. Size, unpacked and without boto3, which the Lambda runtime includes: **{:.2f} MB** (an
end-to-end test permits {:.0f} MB). The package contains no compiled code, so it is the same for both processor
architectures and every Python version.
"""
_TIMES = """
Part of a cold start: the import time of each entry point, as a multiple of that of boto3 alone (1.00). Median of {}
pairs.
"""
_TIMED = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def built(where: Path) -> Path:
    """Build the package as for AWS and return its folder. All functions have the same package."""
    sam = ROOT / ".venv-sam" / "bin" / "sam"
    path = os.pathsep.join([str(sam.parent), os.environ["PATH"]])
    subprocess.run(  # noqa: S603 - our own program and arguments
        [str(sam), "build", "PollFunction", f"--build-dir={where / 'build'}", f"--cache-dir={where / 'cache'}"],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
        check=True,
        capture_output=True,
    )
    return where / "build" / "PollFunction"


def size_bytes(path: Path) -> int:
    """Return the size of all files in ``path``."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def import_s(module: str, package: Path) -> float:
    """Return the seconds of importing ``module`` in a new process of the emulator's Python, which has boto3."""
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [str(ROOT / ".venv-emulator" / "bin" / "python"), "-B", "-c", _TIMED.format(module)],
        env={"PYTHONPATH": str(package), "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def ratio(module: str, package: Path) -> float:
    """Return the import time of ``module`` as a multiple of that of boto3."""
    return statistics.median(import_s(module, package) / import_s("boto3", package) for _ in range(ROUNDS))


def page(package: Path) -> str:
    """Return the page about ``package``."""
    parts = sorted(((size_bytes(part), part.name) for part in package.iterdir() if part.is_dir()), reverse=True)
    sizes = [(name, f"{size / 1000:,.0f}") for size, name in parts if not name.endswith(".dist-info")]
    times = [(name, f"{ratio(f'examhook.handlers.{name}', package):.2f}") for name in HANDLERS]
    return "\n".join(
        [
            _HEAD.format(size_bytes(package) / 1e6, LIMIT_BYTES / 1e6),
            markdown_table(("part", "kB"), sizes),
            _TIMES.format(ROUNDS),
            markdown_table(("entry point", "import time, as a multiple of boto3's"), times),
            "",
        ]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(built(Path(folder))))
