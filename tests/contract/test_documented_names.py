"""README.md, CONTRIBUTING.md and the pages under docs/ name only files, headings, functions and tests that exist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "CONTRIBUTING.md"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", GUIDE, *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[([^\]\n]*)\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED_PATH = re.compile(r"(?:src|tests|tools|docs)/[\w./-]*\w")
NAMED_FILE = re.compile(r"`((?:\w[\w-]*/)*\w[\w-]*\.(?:py|mjs|yaml))`")


class Link(NamedTuple):
    """One link to a file of the project."""

    text: str
    path: str
    heading: str


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[Link]:
    return [Link(*found) for found in LINK.findall(CODE_BLOCK.sub("", page.read_text()))]


def target(page: Path, link: Link) -> Path:
    return page.parent / link.path if link.path else page


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def undefined(page: Path, link: Link) -> list[str]:
    """The parts of a name such as `Reader.pages` that the linked module does not define."""
    module = target(page, link).read_text()
    parts = link.text.strip("`").split(".")
    return [part for part in parts if not re.search(rf"^\s*(?:def|class) {part}\b|^{part}\b.*=", module, re.MULTILINE)]


@cache
def source_files() -> list[str]:
    """Paths of all files that a page may name by the end of their path."""
    folders = ("src", "tests", "tools", "docs")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.*") if "node_modules" not in path.parts]
    return [f"/{path.relative_to(ROOT)}" for path in [*found, *ROOT.glob("*.*")]]


def is_source_file(name: str) -> bool:
    return any(path.endswith(f"/{name}") for path in source_files())


@cache
def all_tests() -> set[str]:
    """Names of all test modules and test functions."""
    modules = list((ROOT / "tests").rglob("test_*.py"))
    functions = [re.findall(r"^\s*def (test_\w+)", module.read_text(), re.MULTILINE) for module in modules]
    return {module.stem for module in modules}.union(*functions)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    broken = [link for link in links(page) if not target(page, link).exists()]
    assert broken == []
    lost = [link for link in links(page) if link.heading and link.heading not in headings(target(page, link))]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_source_file_that_a_page_names_exists(page: Path) -> None:
    assert [name for name in NAMED_FILE.findall(page.read_text()) if not is_source_file(name)] == []


def test_every_path_that_the_guide_names_exists() -> None:
    paths = NAMED_PATH.findall(GUIDE.read_text())
    assert len(paths) > 100
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"\btest_\w+", page.read_text()))
    assert named - all_tests() == set()


def test_every_function_that_the_guide_names_is_defined_in_the_linked_file() -> None:
    named = [link for link in links(GUIDE) if link.text.startswith("`")]
    assert len(named) > 20
    assert {link.text: missing for link in named if (missing := undefined(GUIDE, link))} == {}


def test_a_name_that_the_linked_file_does_not_define_is_noticed() -> None:
    module = "src/examhook/detection/reader.py"
    assert undefined(GUIDE, Link("`Reader.pages`", module, "")) == []
    assert undefined(GUIDE, Link("`Reader.leaves`", module, "")) == ["leaves"]
    assert undefined(GUIDE, Link("`LIMIT`", module, "")) == []


def test_the_index_lists_every_decision_by_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {path.name: path.read_text().splitlines()[0] for path in folder.glob("0*.md")}
    listed = {link.path: f"# {int(link.path[:4])}. {link.text}" for link in links(folder / "README.md")}
    assert listed == pages
