"""How long scheduled polls leave a provider alone that refused the account code, plainly or not."""

from __future__ import annotations

import pytest
from memory_tables import MemoryExams, MemorySubmissions
from played_provider import BEGAN_AT, Stage, row

from examhook.provider.errors import ProviderRefused

MINUTE = 60


@pytest.fixture
def stage() -> Stage:
    stage = Stage(MemorySubmissions(), MemoryExams())
    stage.provider.add("7", row(1))
    return stage


def asked_at(stage: Stage, minutes: int) -> list[int]:
    """At which minutes a schedule of one poll a minute asked the provider."""
    asked = []
    for minute, report in stage.minutes(minutes):
        assert (report.refused, len(report.errors)) == (True, 1)
        if stage.provider.requests_made:
            asked.append(minute)
    return asked


def test_a_plain_refusal_is_asked_about_again_after_an_hour(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderRefused("The provider refuses the account code.")
    assert asked_at(stage, 125) == [0, 60, 120]


def test_after_one_in_other_words_the_pause_grows_from_minutes_to_an_hour(stage: Stage) -> None:
    """The operators hear of each, under one id."""
    stage.provider.failures[""] = ProviderRefused("The provider refuses to list the exams.", plain=False)
    assert asked_at(stage, 270) == [0, 5, 10, 20, 40, 80, 140, 200, 260]
    assert {since for _, since, _ in stage.refusals} == {BEGAN_AT}


def test_trouble_in_other_words_that_passes_costs_minutes(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderRefused("The provider refuses to list the exams.", plain=False)
    assert asked_at(stage, 5) == [0]
    stage.provider.failures.clear()
    assert stage.poll(manual=False).complete
    stage.provider.failures[""] = ProviderRefused("The provider refuses to list the exams.", plain=False)
    stage.provider.clock += MINUTE
    assert asked_at(stage, 6) == [0, 5], "a new refusal, a new pause"


def test_a_pause_says_how_long_it_lasts_and_what_to_do(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderRefused("The provider refuses to list the exams.", plain=False)
    stage.poll(manual=False)
    stage.provider.clock += MINUTE
    (said,) = stage.poll(manual=False).errors
    assert "4 min" in said
    assert "account-code secret" in said


def test_a_new_code_and_a_person_end_either_pause(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderRefused("The provider refuses to list the exams.", plain=False)
    stage.poll(manual=False)
    stage.poll(manual=True)
    assert stage.provider.requests_made == 1
    stage.secret.version = "v2"
    stage.poll(manual=False)
    assert stage.provider.requests_made == 1
