"""The list of further accounts: valid entries, and the messages about invalid ones."""

from __future__ import annotations

import json

import pytest

from examhook.settings import Dialect, InitialSync
from examhook.storage.account_secrets import Account, Accounts, AccountsError, accounts_in, code_in

CODE = "k3y-of-n0rth"


def listed(**accounts: object) -> Accounts:
    return accounts_in(json.dumps(accounts), "main")


def test_an_account_needs_a_code_and_nothing_else() -> None:
    assert listed(north={"code": f" {CODE} "}) == Accounts(
        {"north": Account("north", "https://onlineexammaker.com", Dialect.LEGACY, None, None, CODE)}
    )


def test_an_account_has_its_own_url_dialect_rate_and_initial_sync() -> None:
    described = {
        "code": CODE,
        "base_url": "https://exams.example/shop/",
        "dialect": "v1",
        "requests_per_second": 2.5,
        "initial_sync": "announce",
    }
    assert listed(north=described).by_name["north"] == Account(
        "north", "https://exams.example/shop", Dialect.V1, 2.5, InitialSync.ANNOUNCE, CODE
    )


def test_the_provider_serves_v1_at_a_separate_url() -> None:
    found = listed(
        a={"code": "1", "dialect": "v1"}, b={"code": "2", "dialect": "v1", "base_url": "https://onlineexammaker.com"}
    )
    assert {account.base_url for account in found.by_name.values()} == {"https://api.onlineexammaker.com"}


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({}, "code is missing"),
        ({"code": 17}, "code is missing"),
        ({"code": "x", "dialect": "v2"}, "dialect is not one of legacy, v1"),
        ({"code": "x", "base_url": "exams.example"}, "base_url is not an http:// or https:// address"),
        ({"code": "x", "requests_per_second": 11}, "requests_per_second is not a number from 0.1 to 10"),
        ({"code": "x", "requests_per_second": "fast"}, "requests_per_second is not"),
        ({"code": "x", "requests_per_second": float("nan")}, "requests_per_second is not"),
        ({"code": "x", "initial_sync": "loud"}, "initial_sync is not one of silent, announce"),
        ({"code": "x", "bas_url": "https://exams.example"}, "1 of its fields are none of"),
        ("x", "code is missing"),
    ],
)
def test_an_invalid_account_is_skipped_and_reported(described: object, said: str) -> None:
    """The others are still polled."""
    found = listed(north=described, south={"code": CODE})
    assert list(found.by_name) == ["south"]
    (problem,) = found.problems
    assert problem.startswith("Account north of the accounts secret is not watched: ")
    assert said in problem


def test_all_problems_of_an_account_are_reported_at_once() -> None:
    (problem,) = listed(north={"dialect": "v2", "initial_sync": "loud"}).problems
    assert all(field in problem for field in ("code", "dialect", "initial_sync"))


def test_the_stacks_own_account_name_is_reserved() -> None:
    found = listed(main={"code": CODE})
    assert not found.by_name
    assert "stack's own account" in found.problems[0]


def test_one_account_is_not_watched_under_two_names() -> None:
    """Otherwise its rate limit would be exceeded."""
    found = listed(north={"code": CODE}, south={"code": CODE}, west={"code": CODE, "base_url": "https://west.example"})
    assert list(found.by_name) == ["north", "west"]
    assert "Account south" in found.problems[0]


@pytest.mark.parametrize("text", ["", CODE, f'["{CODE}"]', f'{{"north": "{CODE}"'])
def test_an_invalid_list_is_rejected_and_not_shown(text: str) -> None:
    with pytest.raises(AccountsError, match="is not a JSON object") as caught:
        accounts_in(text, "main")
    assert CODE not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_neither_codes_nor_invalid_names_are_shown() -> None:
    found = accounts_in(
        json.dumps({CODE.upper(): {"code": CODE}, "north": {"code": CODE, CODE: 1}, "a": {"code": CODE}}), "main"
    )
    assert list(found.by_name) == ["a"]
    assert CODE not in repr(found).lower()


def test_the_code_of_one_account_is_found() -> None:
    assert code_in(json.dumps({"north": {"code": f"{CODE}\n"}}), "north") == CODE


@pytest.mark.parametrize("text", ['{"south": {"code": "x"}}', '{"north": "x"}', '{"north": {"code": ""}}'])
def test_an_account_that_is_no_longer_listed_has_no_code(text: str) -> None:
    with pytest.raises(AccountsError, match="has no code for account north"):
        code_in(text, "north")
