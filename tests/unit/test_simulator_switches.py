"""The simulator's switches: their syntax and scope; and the rate limit and the result links."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from examhook_simulator.control_acts import ACTS
from examhook_simulator.control_api import READS
from examhook_simulator.quirks import EXAMS, RESULTS, TRAITS, Quirk, QuirkError, Switch, Switchboard
from examhook_simulator.request_limit import RequestLimit
from examhook_simulator.result_links import LINK_LIFETIME_S, ResultLinks

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def board(seed: int = 1, at: int = 0) -> Switchboard:
    return Switchboard(random.Random(seed), lambda: at)


def drawn(switches: Switchboard, task: str, exam_id: str | None) -> dict[Quirk, str]:
    return {quirk: switch.value for quirk, switch in switches.draw(task, exam_id).items()}


@pytest.mark.parametrize(
    ("text", "switch"),
    [
        ("bom", Switch(Quirk.BOM)),
        ("limit_cap=25", Switch(Quirk.LIMIT_CAP, "25")),
        ("server_error=502@0.1", Switch(Quirk.SERVER_ERROR, "502", 0.1)),
        ("reset@next3", Switch(Quirk.RESET, remaining=3)),
        ("absent_fields=name,endTime", Switch(Quirk.ABSENT_FIELDS, "name,endTime")),
        ("row_order=candidate", Switch(Quirk.ROW_ORDER, "candidate")),
    ],
)
def test_a_switch_is_parsed_as_written(text: str, switch: Switch) -> None:
    assert Switch.parse(text) == switch


@pytest.mark.parametrize("quirk", Quirk)
def test_every_quirk_can_be_switched_on_without_a_value(quirk: Quirk) -> None:
    assert Switch.parse(quirk).value == TRAITS[quirk].value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "bom=1",
        "limit_cap=0",
        "limit_cap=ten",
        "server_error=200",
        "row_order=best",
        "absent_fields=eid",
        "slow=nan",
        "bom@0",
        "bom@1.5",
        "bom@often",
        "bom@next0",
        "bom@nextmany",
    ],
)
def test_an_invalid_switch_is_rejected(text: str) -> None:
    with pytest.raises(QuirkError):
        Switch.parse(text)


def test_a_switch_with_a_count_affects_that_many_requests() -> None:
    switches = board()
    switches.turn_on(Switch.parse("limit_cap=5@next2"))
    found = [drawn(switches, RESULTS, "1") for _ in range(4)]
    assert found == [{Quirk.LIMIT_CAP: "5"}, {Quirk.LIMIT_CAP: "5"}, {}, {}]
    assert switches.switches() == ()


def test_a_switch_for_one_exam_or_task_neither_affects_nor_counts_others() -> None:
    switches = board()
    switches.turn_on(Switch(Quirk.EMPTY_LIST, exam_id="7", remaining=1))
    switches.turn_on(Switch(Quirk.BOM, task=EXAMS))
    assert drawn(switches, RESULTS, "8") == {}
    assert drawn(switches, EXAMS, None) == {Quirk.BOM: ""}
    assert drawn(switches, RESULTS, "7") == {Quirk.EMPTY_LIST: ""}


def test_a_quirk_of_results_is_not_used_up_by_exam_lists() -> None:
    switches = board()
    switches.turn_on(Switch.parse("unreadable_row@next1"))
    assert drawn(switches, EXAMS, None) == {}
    assert drawn(switches, RESULTS, "1") == {Quirk.UNREADABLE_ROW: "1"}


def test_a_switch_with_a_probability_affects_its_share_by_seed() -> None:
    def touched(seed: int) -> list[bool]:
        switches = board(seed)
        switches.turn_on(Switch.parse("bom@0.25"))
        return [bool(switches.draw(RESULTS, "1")) for _ in range(1000)]

    assert touched(1) == touched(1)
    assert 200 < sum(touched(1)) < 300


def test_one_quirk_or_all_can_be_switched_off() -> None:
    switches = board()
    for name in ("bom", "reset", "slow"):
        switches.turn_on(Switch.parse(name))
    switches.turn_off(Quirk.RESET)
    assert [switch.quirk for switch in switches.switches()] == [Quirk.BOM, Quirk.SLOW]
    switches.turn_off()
    assert switches.switches() == ()


def test_the_limit_admits_its_number_in_any_second_and_counts_the_rest() -> None:
    limit = RequestLimit(2)
    assert [limit.admit(at) for at in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)] == [True, True, False, True, False, True]
    assert limit.refused == 2
    assert limit.most_in_a_second == 4, "0.9, 1.0, 1.4 and 0.5 or 1.5"


def test_without_a_limit_every_request_is_admitted() -> None:
    limit = RequestLimit(None)
    assert all(limit.admit(0.0) for _ in range(1000))


def test_a_link_works_for_thirty_minutes_and_no_longer() -> None:
    links = ResultLinks(1)
    token = f"1f-{links.suffix(3, 1000)}"
    assert links.works(token, 1000 + LINK_LIFETIME_S)
    assert not links.works(token, 1001 + LINK_LIFETIME_S)


@pytest.mark.parametrize("token", ["", "1-2-3", "1-2-3-4", "x", "1-2-3e8-0000000000000000", "-é-"])
def test_an_invented_link_never_works(token: str) -> None:
    assert not ResultLinks(1).works(token, 0)


def test_links_differ_by_seed_and_request() -> None:
    links = ResultLinks(1)
    assert len({links.suffix(1, 0), links.suffix(2, 0), ResultLinks(2).suffix(1, 0)}) == 3


def test_the_simulator_page_lists_every_quirk_as_in_the_code() -> None:
    page = PAGE.read_text("utf-8")
    wanted = [
        f"| `{quirk}` | {f'`{trait.value}`' if trait.value else ''} | {trait.effect} |"
        for quirk, trait in TRAITS.items()
    ]
    assert [line for line in page.splitlines() if re.match(r"\| `[a-z_]+` \| (`|\|)", line)] == [
        line.replace("|  |", "| |") for line in wanted
    ]


def test_the_simulator_page_lists_every_act_and_every_read() -> None:
    page = PAGE.read_text("utf-8")
    acts = dict(re.findall(r"^\| `POST ([a-z_]+)` \| ([^|]*) \|", page, re.MULTILINE))
    assert {act: set(re.findall(r"`([a-z_]+)`", fields)) for act, fields in acts.items()} == {
        name: set(act.fields) for name, act in ACTS.items()
    }
    assert set(re.findall(r"^\| `GET ([a-z_]+)` \|", page, re.MULTILINE)) == set(READS)
