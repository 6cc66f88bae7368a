"""Prints the demo: a heading for each step, a line for each received event, and a final table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from examhook_cli.demo.reconciliation import Reconciliation
from examhook_cli.listener.event_line import event_line
from examhook_cli.listener.server import Received
from examhook_cli.output import printable

_WIDTH = 118
_MAX_DIFFERENCES = 5


class Narrator:
    """Prints and records the output, so that it can be saved as an image."""

    def __init__(self) -> None:
        self._console = Console(record=True, highlight=False, width=_WIDTH)

    def heading(self, text: str) -> None:
        """Start a step."""
        self._console.print()
        self._console.rule(f"[bold]{escape(text)}", align="left", characters="─")

    def say(self, text: str) -> None:
        """Print a remark."""
        self._console.print(Text(printable(text), style="dim"))

    def arrived(self, receiver: str, received: Received) -> None:
        """Print a received webhook."""
        good = received.verified and received.answered < 300  # noqa: PLR2004 - the range of success
        line = Text("▸ " if good else "✗ ", style="green" if good else "red")
        line.append(f"{receiver:<7}", style="cyan")
        line.append(printable(event_line(received)))
        self._console.print(line, overflow="ellipsis", no_wrap=True)

    def email(self, subject: str, text: str) -> None:
        """Print an e-mail."""
        self._console.print(Panel(Text(text.strip()), title=Text(f"Subject: {subject}"), title_align="left"))

    def result(self, rows: Sequence[Reconciliation]) -> None:
        """Print the table of expected and received events, and the first differences."""
        table = Table(title="Expected and received", title_justify="left", title_style="bold")
        table.add_column("receiver")
        for column in ("expected", "received", "repeated", "missing", "extra", "bad signatures"):
            table.add_column(column, justify="right")
        table.add_column("")
        for row in rows:
            counts = (row.expected, row.distinct, row.repeated, len(row.missing), len(row.extra), row.unverified)
            mark = Text("agrees", style="green") if row.agrees else Text("DIFFERS", style="bold red")
            table.add_row(row.receiver, *map(str, counts), mark)
        self._console.print()
        self._console.print(table)
        for row in rows:
            for word, facts in (("missing", row.missing), ("extra", row.extra)):
                for fact in facts[:_MAX_DIFFERENCES]:
                    self._console.print(Text(f"{row.receiver}: {word} {fact}", style="red"))

    def verdict(self, text: str, *, good: bool) -> None:
        """Print the last line."""
        self._console.print(Text(text, style="bold green" if good else "bold red"))

    def save_picture(self, path: str) -> None:
        """Save the output as an SVG image."""
        self._console.save_svg(path, title="make demo")
