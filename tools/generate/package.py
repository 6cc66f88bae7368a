"""Builds the functions' package, weighs it, and times what starting each function costs; writes docs/package.md.

Run by ``make package``. Each import is timed in a process of its own, in turns with that of bare boto3, so that a
busy machine slows both; the middle of the ratios counts. As in Lambda, boto3 has its bytecode at hand and the package
has none.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "package.md"
HANDLERS = sorted(
    path.stem for path in (ROOT / "src/examhook/handlers").glob("*.py") if "\ndef handler(" in path.read_text()
)
LIMIT_BYTES = 5_000_000
ROUNDS = 11

_HEAD = """# The functions' package

Written by `make package`. Unpacked and without boto3, which the runtime brings: **{:.2f} MB** (an end-to-end test
allows {:.0f} MB). It holds no compiled code, so it is the same for both processors and every Python.

| part | kB |
|---|---|"""
_TIMES = """
What a cold start adds: importing each entry point, as a multiple of importing bare boto3 (1.00), the middle of {}
pairs.

| entry point | import time, as a multiple of boto3's |
|---|---|"""
_TIMED = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def built(where: Path) -> Path:
    """The package of one function, built as for AWS; all functions have the same."""
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


def weight_bytes(path: Path) -> int:
    """All files in ``path``."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def import_s(module: str, package: Path) -> float:
    """Seconds that importing ``module`` takes in a fresh process with the emulator's Python, which has boto3."""
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [str(ROOT / ".venv-emulator" / "bin" / "python"), "-B", "-c", _TIMED.format(module)],
        env={"PYTHONPATH": str(package), "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def ratio(module: str, package: Path) -> float:
    """How long importing ``module`` takes, as a multiple of importing boto3 alone."""
    return statistics.median(import_s(module, package) / import_s("boto3", package) for _ in range(ROUNDS))


def page(package: Path) -> str:
    """The page about ``package``."""
    parts = sorted(((weight_bytes(part), part.name) for part in package.iterdir() if part.is_dir()), reverse=True)
    weights = [f"| {name} | {size / 1000:,.0f} |" for size, name in parts if not name.endswith(".dist-info")]
    times = [f"| {name} | {ratio(f'examhook.handlers.{name}', package):.2f} |" for name in HANDLERS]
    megabytes = weight_bytes(package) / 1e6
    return "\n".join([_HEAD.format(megabytes, LIMIT_BYTES / 1e6), *weights, _TIMES.format(ROUNDS), *times, ""])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(built(Path(folder))))
