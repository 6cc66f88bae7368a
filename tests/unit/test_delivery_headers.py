"""Which custom headers an endpoint may have."""

from __future__ import annotations

import pytest

from examhook.delivery.custom_headers import MAX_HEADERS, MAX_HEADERS_BYTES, BadHeaderError, check_headers


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer abc=="}, {"X-Api-Key": "k"}, {"x-a": "two words"}, {"X-1": "a", "X-2": "b"}],
)
def test_ordinary_headers_are_accepted(headers: dict[str, str]) -> None:
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
def test_reserved_and_malformed_names_are_rejected(name: str) -> None:
    with pytest.raises(BadHeaderError):
        check_headers({name: "value"})


@pytest.mark.parametrize(
    "value", ["", " ", "a ", " a", "a\r\nX-Injected: b", "a\nb", "tab\there", "é", "a\x00", "\x7f"]
)
def test_values_that_could_end_a_header_or_change_in_transit_are_rejected(value: str) -> None:
    with pytest.raises(BadHeaderError, match="X-Key"):
        check_headers({"X-Key": value})


def test_a_name_may_not_be_repeated() -> None:
    with pytest.raises(BadHeaderError, match="twice"):
        check_headers({"X-Key": "a", "x-key": "b"})


def test_headers_too_long_to_encrypt_at_once_are_rejected() -> None:
    with pytest.raises(BadHeaderError):
        check_headers({f"X-{nth}": "a" for nth in range(MAX_HEADERS + 1)})
    with pytest.raises(BadHeaderError):
        check_headers({"X-Key": "a" * MAX_HEADERS_BYTES})


def test_no_message_repeats_a_value() -> None:
    with pytest.raises(BadHeaderError) as refused:
        check_headers({"Authorization": "the-token\n"})
    assert "the-token" not in str(refused.value)
