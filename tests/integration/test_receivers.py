"""Each receiver of the matrix parses, verifies and deduplicates what Deliver sends; docs/receivers.md says the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from examhook.events.catalogue import EventType
from tools.receivers.__main__ import PAGE
from tools.receivers.environments import RuntimeMissingError
from tools.receivers.matrix import Measured, measure
from tools.receivers.page import page
from tools.receivers.receivers import CONSUMERS, RECEIVERS, Receiver, Runtime
from tools.receivers.requests_to_send import EXAMPLES, MAX_BODY_BYTES, Secrets, example_events

ROOT = Path(__file__).parents[2]
BUILT_FIRST = pytest.mark.slow


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    return Secrets.create()


@pytest.mark.parametrize(
    "receiver",
    [pytest.param(each, id=each.key, marks=BUILT_FIRST if each.runtime is Runtime.GO else ()) for each in RECEIVERS],
)
def test_a_receiver_does_what_its_row_says(receiver: Receiver, secrets: Secrets, tmp_path: Path) -> None:
    try:
        measured = measure(receiver, secrets, tmp_path)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    assert measured.differs_from(receiver) == [], (tmp_path / "receiver.log").read_text()


def test_every_event_type_is_sent_and_an_event_of_the_maximum_size() -> None:
    sent = example_events()
    assert {event.event_type for event in sent} >= {path.stem for path in EXAMPLES.glob("*.json")}
    assert {event.event_type for event in sent} >= {each.value for each in EventType}
    assert max(len(event.body) for event in sent) == MAX_BODY_BYTES
    assert len({event.event_id for event in sent}) == len(sent)


def rows() -> dict[str, list[str]]:
    """Cells of each row of the page, by the receiver's name."""
    cells = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| [")]
    return {name: row for row in cells for name in re.findall(r"^\[(.*)\]\(", row[0])}


def test_the_page_has_a_row_for_each_receiver_and_each_did_what_is_expected() -> None:
    assert list(rows()) == [receiver.name for receiver in RECEIVERS]
    for receiver in RECEIVERS:
        _, version, parses, verifies, repeats, *_ = rows()[receiver.name]
        assert Measured(version, parses, verifies, repeats, "").differs_from(receiver) == [], receiver.name


def test_the_page_is_written_from_its_results() -> None:
    results: dict[str, Measured | str] = {name: Measured(*row[1:6]) for name, row in rows().items()}
    assert page(results) == PAGE.read_text()


def test_the_page_has_the_locked_versions() -> None:
    packages = json.loads((ROOT / "tools/receivers/node/package-lock.json").read_text())["packages"]
    locked = {(path.rpartition("node_modules/")[2], each["version"]) for path, each in packages.items() if path}
    locked |= {(each["name"], each["version"]) for each in packages.values() if "name" in each and "version" in each}
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "tools/requirements/receivers.txt").read_text(), re.MULTILINE)
    for name, row in rows().items():
        package, _, version = row[1].rpartition(" ")
        if package not in ("Node.js", "Python", "Go", "PHP", "sinatra"):
            assert (package, version) in locked | set(pins), name


def test_the_lock_of_the_receivers_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "tools/receivers/node/package-lock.json").read_text()


def test_every_documented_receiver_runs_in_the_matrix() -> None:
    text = (ROOT / CONSUMERS / "README.md").read_text()
    files = {path.name for path in (ROOT / CONSUMERS).iterdir() if path.is_file()} - {"README.md"}
    started = {each.code for each in RECEIVERS}
    assert [name for name in sorted(files) if f"{CONSUMERS}/{name}" not in started] == []
    assert [name for name in sorted(files) if f"]({name})" not in text] == []


@pytest.mark.parametrize("document", [PAGE, ROOT / CONSUMERS / "README.md"], ids=lambda path: path.name)
def test_every_link_of_the_pages_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text())
    assert links
    assert [link for link in links if not (document.parent / link).exists()] == []
