"""What a person chooses for the local stack, and what the template is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook_cli.local.parameters import LocalOptions, is_plain, parameters_file, schedule_parameters


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (None, {"Polling": "DISABLED"}),
        (5, {"Polling": "ENABLED", "PollSeconds": "5", "PollSchedule": "rate(1 minute)"}),
        (60, {"Polling": "ENABLED", "PollSeconds": "60", "PollSchedule": "rate(1 minute)"}),
        (120, {"Polling": "ENABLED", "PollSeconds": "60", "PollSchedule": "rate(2 minutes)"}),
        (86_400, {"Polling": "ENABLED", "PollSeconds": "60", "PollSchedule": "rate(1440 minutes)"}),
    ],
)
def test_seconds_between_polls_become_a_schedule(seconds: int | None, wanted: dict[str, str]) -> None:
    assert schedule_parameters(seconds) == wanted


@pytest.mark.parametrize("seconds", [-60, 0, 4, 61, 90, 86_460])
def test_other_pauses_are_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match=str(seconds)):
        schedule_parameters(seconds)


def test_the_choices_reach_the_templates_parameters() -> None:
    chosen = LocalOptions(
        base_url="http://127.0.0.1:8100",
        account_code="c0de",
        webhook_urls=("http://127.0.0.1:1/a", "http://127.0.0.1:2/b"),
        requests_per_second=2.5,
        initial_sync="announce",
    ).parameters()
    assert chosen["WebhookUrls"] == "http://127.0.0.1:1/a,http://127.0.0.1:2/b"
    assert (chosen["RequestsPerSecond"], chosen["InitialSync"], chosen["AccountCode"]) == ("2.5", "announce", "c0de")
    assert chosen["AllowHttpEndpoints"] == chosen["AllowPrivateEndpoints"] == "true"


def test_the_code_is_not_part_of_what_is_shown() -> None:
    assert "c0de" not in repr(LocalOptions(base_url="http://127.0.0.1", account_code="c0de"))


@pytest.mark.parametrize("value", ["abc", "ü#%&=", "http://127.0.0.1:1/?a=b&c=[1]"])
def test_plain_values_may_be_passed(value: str) -> None:
    assert is_plain(value)


@pytest.mark.parametrize("value", ["", "a b", 'a"b', "a'b", "a\\b", "a\nb", "a\x00b", "a\u202eb"])
def test_values_that_sam_would_change_may_not(value: str) -> None:
    assert not is_plain(value)


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs"]))))
def test_the_parameters_file_holds_each_value_as_it_is(parameters: dict[str, str]) -> None:
    assert json.loads(parameters_file(parameters)) == parameters
