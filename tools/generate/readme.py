"""Fills generated parts of the documents: ``python -m tools.generate.readme`` writes, ``--check`` compares."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import yaml

from examhook.detection.intervals import worst_case_s
from examhook.events.catalogue import ENDPOINT_TEST, OFF_BY_DEFAULT, EventType, ExamEventType, OperationsEventType
from examhook.metrics import FACTS
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
    EventType.REOPENED: "an ended attempt is running again",
    EventType.REMOVED: "an attempt is missing from two full scans in a row",
    EventType.UNKNOWN_STATUS: "the provider shows a status that it does not document",
    ExamEventType.OPENED: "an exam becomes available, or a new exam is available",
    ExamEventType.CLOSED: "an exam becomes unavailable",
    ExamEventType.VERIFIED: "a full scan completed and its results are announced; only while an endpoint asks for it",
    OperationsEventType.PROVIDER_REFUSED: "the provider refuses the account code",
    OperationsEventType.ENDPOINT_FAILING: "a webhook endpoint has done nothing but fail for an hour; again each day",
    OperationsEventType.ENDPOINT_DISABLED: "a webhook endpoint was turned off",
    OperationsEventType.ENDPOINT_RECOVERED: "a webhook endpoint that was failing takes events again",
}


class _TemplateLoader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Reads CloudFormation's short forms (``!Ref``, ``!Sub``, …) as nothing; parameters hold none."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def _template() -> dict[str, dict[str, dict[str, Any]]]:
    template: dict[str, dict[str, dict[str, Any]]]
    template = yaml.load((ROOT / "template.yaml").read_text(), _TemplateLoader)  # noqa: S506 - a SafeLoader
    return template


def parameters() -> str:
    """Every parameter of the template, in its own words."""
    rows = [
        (f"`{name}`", _default(facts), facts["Description"].strip())
        for name, facts in _template()["Parameters"].items()
    ]
    return markdown_table(("parameter", "default", "meaning"), rows)


def _default(facts: dict[str, object]) -> str:
    default = facts.get("Default")
    return "none" if default in ("", None) else f"`{default}`"


def events() -> str:
    """Every type of event and when it comes."""
    told = "submissions topic, webhooks"
    topics = {EventType: told, ExamEventType: told, OperationsEventType: "operations topic"}
    rows = [
        (f"`{each.value}`", WHEN[each], f"{topics[type(each)]}{_asked_for(each)}")
        for each in [*EventType, *ExamEventType, *OperationsEventType]
    ]
    test = (f"`{ENDPOINT_TEST}`", "you run `examhook endpoints test`", "that webhook")
    return markdown_table(("type", "when", "goes to"), [*rows, test])


def _asked_for(each: EventType | ExamEventType | OperationsEventType) -> str:
    return " (webhooks and e-mail only when asked for)" if each in OFF_BY_DEFAULT else ""


def worst_case() -> str:
    """How long a change can stay unannounced, with the template's defaults."""
    defaults = {name: facts.get("Default") for name, facts in _template()["Parameters"].items()}
    bounds_s = worst_case_s(
        poll_s=int(str(defaults["PollSeconds"])),
        full_scan_s=int(str(defaults["FullPassMinutes"])) * 60,
    )
    rows = [(what, _duration(bounds_s[name])) for name, what in _BOUNDS.items()]
    return markdown_table(("what", "announced after, at most"), rows)


_BOUNDS: dict[Literal["signalled", "active", "rotation", "rescored", "rescored_idle", "removed"], str] = {
    "signalled": "an exam opens or closes; the attempt count shows a new attempt; a running attempt ends",
    "active": "a new attempt that no count shows, in an exam where something happened within the hour",
    "rotation": "the same, in an exam that was quiet",
    "rescored": "a score changes or an attempt is reopened, in an active exam",
    "rescored_idle": "the same, in an exam that was quiet for a day",
    "removed": "an attempt is deleted, in such a quiet exam",
}


def _duration(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts = (
        [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0) + [f"{seconds % 60} s"] * (seconds % 60 > 0)
    )
    return " ".join(parts)


def commands() -> str:
    """Every command and what it does."""
    rows = [(f"`{path}`", command.get_short_help_str(200)) for path, command in leaf_commands()]
    return markdown_table(("command", "what it does"), rows)


def metrics() -> str:
    """Every figure that the functions write."""
    rows = [
        (
            f"`{metric.value}`",
            facts.function,
            facts.unit.value.lower(),
            facts.meaning,
            "always" if facts.even_zero else "where not 0",
        )
        for metric, facts in FACTS.items()
    ]
    return markdown_table(("metric", "written by", "unit", "meaning", "written"), rows)


def alarms() -> str:
    """Every alarm of the template, in its own words."""
    said = {
        name: str(found["Properties"]["AlarmDescription"]).strip().removesuffix(f" docs/runbook.md: {name}.")
        for name, found in _template()["Resources"].items()
        if found["Type"] == "AWS::CloudWatch::Alarm"
    }
    rows = [(f"[`{name}`](runbook.md#{name.lower()})", text) for name, text in said.items()]
    return markdown_table(("alarm", "what it says"), rows)


def _file(name: str, language: str) -> Callable[[], str]:
    return lambda: f"```{language}\n{(ROOT / 'docs' / 'examples' / name).read_text().rstrip()}\n```"


def costs() -> str:
    """The four installations of docs/cost.md, which are worked out from measured units."""
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
    """``text`` of ``document`` with every generated part made anew."""
    for name, make in PARTS[document].items():
        pattern = re.compile(rf"(<!-- begin: {re.escape(name)} -->\n).*?(<!-- end: {re.escape(name)} -->)", re.DOTALL)
        places = list(pattern.finditer(text))
        if len(places) != 1:
            raise SystemExit(f"{document} has {len(places)} places for {name}, wanted 1")
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
