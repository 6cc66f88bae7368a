"""Which headers a person may give an endpoint."""

from __future__ import annotations

import pytest

from examhook.delivery.custom_headers import MAX_HEADERS, MAX_HEADERS_BYTES, BadHeaderError, check_headers


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer abc=="}, {"X-Api-Key": "k"}, {"x-a": "two words"}, {"X-1": "a", "X-2": "b"}],
)
def test_ordinary_ones_pass(headers: dict[str, str]) -> None:
    check_headers(headers)


@pytest.mark.parametrize(
    "name",
    [
        *("webhook-id", "Webhook-Signature", "WEBHOOK-anything", "ce-id", "Proxy-Authorization", "Host", "TE"),
        *("Content-Type", "content-length", "Content-Encoding", "Transfer-Encoding", "Connection", "User-Agent"),
        *("Expect", "Upgrade", "Trailer", "Accept-Encoding", "Keep-Alive"),
        *("", "a b", "a:b", "a\r\nb", "ä", "x" * 65, "a\x00"),
    ],
)
def test_reserved_and_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(BadHeaderError):
        check_headers({name: "value"})


@pytest.mark.parametrize(
    "value", ["", " ", "a ", " a", "a\r\nX-Injected: b", "a\nb", "tab\there", "é", "a\x00", "\x7f"]
)
def test_values_that_could_end_a_header_or_change_on_the_way_are_refused(value: str) -> None:
    with pytest.raises(BadHeaderError, match="X-Key"):
        check_headers({"X-Key": value})


def test_a_name_stands_once() -> None:
    with pytest.raises(BadHeaderError, match="twice"):
        check_headers({"X-Key": "a", "x-key": "b"})


def test_what_does_not_fit_into_one_sealed_piece_is_refused() -> None:
    with pytest.raises(BadHeaderError):
        check_headers({f"X-{nth}": "a" for nth in range(MAX_HEADERS + 1)})
    with pytest.raises(BadHeaderError):
        check_headers({"X-Key": "a" * MAX_HEADERS_BYTES})


def test_no_message_repeats_a_value() -> None:
    with pytest.raises(BadHeaderError) as refused:
        check_headers({"Authorization": "the-token\n"})
    assert "the-token" not in str(refused.value)
