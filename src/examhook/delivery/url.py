"""Checks endpoint URLs when an endpoint is added and before each attempt.

This check covers the text of the URL. ``destinations/webhook.py`` checks the IP addresses of the host when it connects,
because DNS records can change.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from examhook.delivery.ip_address import ip_refusal_reason

MAX_URL_CHARACTERS = 2048

_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "home.arpa", "lan", "private", "corp")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_MAX_HOST_CHARACTERS = 253
_NETLOC = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]@]+)(:[0-9]{1,5})?", re.IGNORECASE)
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\<>\"{}|^`]")


class EndpointUrlError(ValueError):
    """A URL is not allowed for endpoints; the message contains no path and no query."""


def check_endpoint_url(url: str, *, allow_http: bool = False, allow_private: bool = False) -> None:
    """Raise EndpointUrlError if webhooks to ``url`` are not allowed.

    Args:
        url: the URL as entered by a user.
        allow_http: also allow ``http://`` (the stack's AllowHttpEndpoints).
        allow_private: also allow names and addresses of private networks (AllowPrivateEndpoints).
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise EndpointUrlError(f"The URL is longer than {MAX_URL_CHARACTERS} characters.")
    if _NOT_IN_A_URL.search(url):
        raise EndpointUrlError("The URL contains a space, a backslash or another character that must be %-encoded.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EndpointUrlError("The URL is malformed: check its host and port.") from None
    _check_scheme(parts, allow_http=allow_http)
    if "@" in parts.netloc:
        raise EndpointUrlError("The URL contains a user name or password; receivers verify the signature instead.")
    if parts.fragment or url.endswith("#"):
        raise EndpointUrlError("The URL has a fragment (#…), which HTTP does not send; remove it.")
    if not parts.hostname:
        raise EndpointUrlError("The URL has no host.")
    if port == 0 or not _NETLOC.fullmatch(parts.netloc):
        raise EndpointUrlError("The URL's host is malformed, or its port is not a number from 1 to 65535.")
    _check_host(parts.hostname, in_brackets=parts.netloc.startswith("["), allow_private=allow_private)


def _check_scheme(parts: SplitResult, *, allow_http: bool) -> None:
    if parts.scheme == "https" or (parts.scheme == "http" and allow_http):
        return
    if parts.scheme == "http":
        raise EndpointUrlError("The URL must begin with https:// (this installation does not allow plain http).")
    raise EndpointUrlError("The URL must begin with https://.")


def _check_host(host: str, *, in_brackets: bool, allow_private: bool) -> None:
    if in_brackets:
        try:
            address: IPv4Address | IPv6Address = IPv6Address(host)
        except AddressValueError:
            raise EndpointUrlError("The URL's host in brackets is not an IPv6 address.") from None
        _check_address(address, allow_private=allow_private)
        return
    if not host.isascii():
        raise EndpointUrlError(f"Use the ASCII form of the URL's host{_ascii_form(host)}.")
    if host.endswith("."):
        raise EndpointUrlError("Remove the dot at the end of the URL's host.")
    labels = host.split(".")
    if len(host) > _MAX_HOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise EndpointUrlError("The URL's host is not a valid host name.")
    if _is_number(labels[-1]):
        # Some resolvers also accept 2130706433, 0x7f.1 and 017700000001, so allow only the form that all accept.
        try:
            address = IPv4Address(host)
        except AddressValueError:
            raise EndpointUrlError(
                "The URL's host is a number but not a plain IPv4 address such as 192.0.2.1."
            ) from None
        _check_address(address, allow_private=allow_private)
        return
    if not allow_private and (len(labels) == 1 or _is_local(host)):
        raise EndpointUrlError(f"{host} is a name in a private network; only public addresses are allowed.")


def _check_address(address: IPv4Address | IPv6Address, *, allow_private: bool) -> None:
    reason = ip_refusal_reason(address, allow_private=allow_private)
    if reason:
        raise EndpointUrlError(f"Webhooks to this address are not allowed: {reason}.")


def _is_number(label: str) -> bool:
    return label.isdigit() or re.fullmatch(r"0x[0-9a-f]*", label, re.IGNORECASE) is not None


def _is_local(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES)


def _ascii_form(host: str) -> str:
    try:
        return f", {host.encode('idna').decode()}"
    except UnicodeError:
        return " (xn--…)"
