"""Checks whether webhooks to an IP address are allowed.

The ranges are listed here because results of ``ipaddress.is_global`` differ between Python releases. IPv6 addresses
must also be global unicast (2000::/3). Source: the IANA registries of special-purpose IPv4 and IPv6 addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IpAddress = IPv4Address | IPv6Address
_NamedRange = tuple[IPv4Network | IPv6Network, str]

_PRIVATE: Sequence[_NamedRange] = (
    (IPv4Network("10.0.0.0/8"), "private"),
    (IPv4Network("100.64.0.0/10"), "a carrier's shared address"),
    (IPv4Network("127.0.0.0/8"), "the sender's own (loopback)"),
    (IPv4Network("172.16.0.0/12"), "private"),
    (IPv4Network("192.168.0.0/16"), "private"),
    (IPv6Network("::1/128"), "the sender's own (loopback)"),
    (IPv6Network("fc00::/7"), "private"),
)
"""Not allowed unless the stack allows private endpoints."""

_NEVER: Sequence[_NamedRange] = (
    (IPv4Network("169.254.0.0/16"), "link-local, where instance metadata is served"),
    (IPv4Network("0.0.0.0/8"), "unspecified"),
    (IPv4Network("192.0.0.0/24"), "reserved"),
    (IPv4Network("192.0.2.0/24"), "for documentation only"),
    (IPv4Network("192.88.99.0/24"), "a 6to4 relay"),
    (IPv4Network("198.18.0.0/15"), "for benchmarks only"),
    (IPv4Network("198.51.100.0/24"), "for documentation only"),
    (IPv4Network("203.0.113.0/24"), "for documentation only"),
    (IPv4Network("224.0.0.0/4"), "multicast"),
    (IPv4Network("240.0.0.0/4"), "reserved or broadcast"),
    (IPv6Network("fd00:ec2::/32"), "where AWS serves instance metadata"),
    (IPv6Network("fd20:ce::/32"), "where Google Cloud serves instance metadata"),
    (IPv6Network("::/128"), "unspecified"),
    (IPv6Network("64:ff9b:1::/48"), "a translation to IPv4"),
    (IPv6Network("fe80::/10"), "link-local"),
    (IPv6Network("fec0::/10"), "site-local"),
    (IPv6Network("ff00::/8"), "multicast"),
    (IPv6Network("2001::/23"), "reserved or a tunnel (Teredo)"),
    (IPv6Network("2001:db8::/32"), "for documentation only"),
    (IPv6Network("2002::/16"), "a tunnel (6to4)"),
    (IPv6Network("3fff::/20"), "for documentation only"),
)
"""Never allowed."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE = IPv6Network("::/96")


def ip_refusal_reason(address: str | IpAddress, *, allow_private: bool = False) -> str | None:
    """Why webhooks to ``address`` are not allowed; None if they are.

    An IPv6 address that contains an IPv4 address (mapped, compatible, NAT64) is checked as that IPv4 address.

    Raises:
        ValueError: if the text is not an IP address.
    """
    ip = ip_address(address) if isinstance(address, str) else address
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:
            return f"{ip} is valid on one link only"
        embedded = _embedded_ipv4(ip)
        if embedded is not None:
            return ip_refusal_reason(embedded, allow_private=allow_private)
    if (kind := _kind(ip, _NEVER)) is not None:
        return f"{ip} is {kind}"
    if (kind := _kind(ip, _PRIVATE)) is not None:
        return None if allow_private else f"{ip} is {kind}"
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST:
        return f"{ip} is not a public address"
    return None


def _kind(ip: IpAddress, ranges: Sequence[_NamedRange]) -> str | None:
    return next((kind for network, kind in ranges if ip in network), None)


def _embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
