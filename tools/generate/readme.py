"""Writes generated parts of documents: ``python -m tools.generate.readme``; ``--check`` compares them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import yaml

from examhook.detection.intervals import worst_case_s
from examhook.events.catalogue import ENDPOINT_TEST, OFF_BY_DEFAULT, EventType, ExamEventType, OperationsEventType
from examhook.metrics import ALWAYS_WRITTEN, DEFINITIONS
from tools.generate.commands import leaf_commands
from tools.markdown import markdown_table

ROOT = Path(__file__).resolve().parents[2]

WHEN = {
    EventType.STARTED: "a candidate opens an exam",
    EventType.SUBMITTED: "a candidate submits, or submits again",
    EventType.TIMED_OUT: "the time limit ends an attempt",
    EventType.FORCED: "an administrator force-submits an attempt",
    EventType.SYSTEM_SUBMITTED: "the system submits an attempt",
    EventType.RESCORED: "the score or the pass mark of an ended attempt changes",
    EventType.REOPENED: "an ended attempt is reopened",
    EventType.REMOVED: "an attempt is missing from two full scans in a row",
    EventType.UNKNOWN_STATUS: "the provider shows a status that it does not document",
    ExamEventType.OPENED: "an exam becomes available, or a new exam is available",
    ExamEventType.CLOSED: "an exam becomes unavailable",
    ExamEventType.VERIFIED: "a full scan is complete and announced; only if an endpoint subscribes to it",
    OperationsEventType.PROVIDER_REFUSED: "the provider refuses the account code",
    OperationsEventType.ENDPOINT_FAILING: "all deliveries to a webhook have failed for an hour; repeated daily",
    OperationsEventType.ENDPOINT_DISABLED: "a webhook endpoint is disabled",
    OperationsEventType.ENDPOINT_RECOVERED: "a failing webhook endpoint accepts events again",
}


class _TemplateLoader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Reads CloudFormation's short forms (``!Ref``, ``!Sub``, …) as None. Parameters contain none."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def _template() -> dict[str, dict[str, dict[str, Any]]]:
    template: dict[str, dict[str, dict[str, Any]]]
    template = yaml.load((ROOT / "template.yaml").read_text(), _TemplateLoader)  # noqa: S506 - a SafeLoader
    return template


def parameters() -> str:
    """Return the parameters of the template with their descriptions."""
    rows = [
        (f"`{name}`", _default(facts), facts["Description"].strip())
        for name, facts in _template()["Parameters"].items()
    ]
    return markdown_table(("parameter", "default", "meaning"), rows)


def _default(facts: dict[str, object]) -> str:
    default = facts.get("Default")
    return "none" if default in ("", None) else f"`{default}`"


def events() -> str:
    """Return every event type with its cause."""
    submissions = "submissions topic, webhooks"
    topics = {EventType: submissions, ExamEventType: submissions, OperationsEventType: "operations topic"}
    rows = [
        (f"`{each.value}`", WHEN[each], f"{topics[type(each)]}{_opt_in(each)}")
        for each in [*EventType, *ExamEventType, *OperationsEventType]
    ]
    test = (f"`{ENDPOINT_TEST}`", "you run `examhook endpoints test`", "that webhook")
    return markdown_table(("type", "when", "goes to"), [*rows, test])


def _opt_in(each: EventType | ExamEventType | OperationsEventType) -> str:
    return " (webhooks and e-mail only by subscription)" if each in OFF_BY_DEFAULT else ""


def worst_case() -> str:
    """Return the maximum delay of each kind of change, with the template's defaults."""
    defaults = {name: facts.get("Default") for name, facts in _template()["Parameters"].items()}
    bounds_s = worst_case_s(
        poll_s=int(str(defaults["PollSeconds"])),
        full_scan_s=int(str(defaults["FullPassMinutes"])) * 60,
    )
    rows = [(change, _duration(bounds_s[name])) for name, change in _BOUNDS.items()]
    return markdown_table(("change", "announced within"), rows)


_BOUNDS: dict[Literal["signalled", "active", "rotation", "rescored", "rescored_idle", "removed"], str] = {
    "signalled": "an exam opens or closes; the attempt count shows a new attempt; a running attempt ends",
    "active": "a new attempt that no count shows, in an exam with changes within the hour",
    "rotation": "the same, in an exam without changes",
    "rescored": "a score changes or an attempt is reopened, in an active exam",
    "rescored_idle": "the same, in an exam without changes for a day",
    "removed": "an attempt is deleted, in an exam without changes for a day",
}


def _duration(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts = (
        [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0) + [f"{seconds % 60} s"] * (seconds % 60 > 0)
    )
    return " ".join(parts)


def commands() -> str:
    """Return every command with its help."""
    rows = [(f"`{path}`", command.get_short_help_str(200)) for path, command in leaf_commands()]
    return markdown_table(("command", "purpose"), rows)


def metrics() -> str:
    """Return every metric of the functions."""
    rows = [
        (
            f"`{metric.value}`",
            definition.function,
            definition.unit.value.lower(),
            definition.meaning,
            "always" if metric in ALWAYS_WRITTEN else "if not 0",
        )
        for metric, definition in DEFINITIONS.items()
    ]
    return markdown_table(("metric", "written by", "unit", "meaning", "written"), rows)


def alarms() -> str:
    """Return the alarms of the template with their descriptions."""
    descriptions = {
        name: str(found["Properties"]["AlarmDescription"]).strip().removesuffix(f" docs/runbook.md: {name}.")
        for name, found in _template()["Resources"].items()
        if found["Type"] == "AWS::CloudWatch::Alarm"
    }
    rows = [(f"[`{name}`](runbook.md#{name.lower()})", text) for name, text in descriptions.items()]
    return markdown_table(("alarm", "description"), rows)


def _file(name: str, language: str) -> Callable[[], str]:
    return lambda: f"```{language}\n{(ROOT / 'docs' / 'examples' / name).read_text().rstrip()}\n```"


def costs() -> str:
    """Return the costs of four installations from docs/cost.md."""
    table = re.search(r"(?:^\|.*\n)+", (ROOT / "docs" / "cost.md").read_text(), re.MULTILINE)
    if table is None:
        raise SystemExit("docs/cost.md has no table: run make cost")
    return table[0].rstrip()


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {
        "verify.py": _file("verify.py", "python"),
        "verify.mjs": _file("verify.mjs", "js"),
        "parameters": parameters,
        "events": events,
        "worst case": worst_case,
        "commands": commands,
        "costs": costs,
    },
    "docs/metrics.md": {"metrics": metrics, "alarms": alarms},
}
"""The generated parts of each document."""


def filled(document: str, text: str) -> str:
    """Return ``text`` of ``document`` with every generated part replaced."""
    for name, make in PARTS[document].items():
        pattern = re.compile(rf"(<!-- begin: {re.escape(name)} -->\n).*?(<!-- end: {re.escape(name)} -->)", re.DOTALL)
        places = list(pattern.finditer(text))
        if len(places) != 1:
            raise SystemExit(f"{document} has {len(places)} places for {name}; there must be one")
        (place,) = places
        text = f"{text[: place.start()]}{place[1]}{make()}\n{place[2]}{text[place.end() :]}"
    return text


if __name__ == "__main__":
    texts = {document: (ROOT / document).read_text() for document in PARTS}
    made = {document: filled(document, text) for document, text in texts.items()}
    stale = [document for document in PARTS if made[document] != texts[document]]
    if "--check" in sys.argv:
        raise SystemExit(f"not up to date: {', '.join(stale)}. Run python -m tools.generate.readme" if stale else 0)
    for document in stale:
        (ROOT / document).write_text(made[document])
