"""The benchmark page: each part writes its own section and keeps the others."""

from __future__ import annotations

from tools.bench.report import composed

ORDER = ("detection", "delivery")


def test_measuring_one_part_keeps_the_other_sections() -> None:
    both = composed("", {"delivery": "## Delivery\n\nold\n", "detection": "## Detection\n\nkept\n"}, ORDER)
    again = composed(both, {"delivery": "## Delivery\n\nnew\n"}, ORDER)
    assert again == both.replace("old", "new")
    assert again.index("## Detection") < again.index("## Delivery")


def test_a_part_that_was_never_measured_is_left_out() -> None:
    page = composed("", {"delivery": "## Delivery"}, ORDER)
    assert "detection -->" not in page
    assert page.startswith("# Benchmarks\n")


def test_writing_the_same_section_again_changes_nothing() -> None:
    page = composed("", {"detection": "## Detection\n| a | b |\n"}, ORDER)
    assert composed(page, {}, ORDER) == page
