"""Which network addresses webhooks may be sent to.

Written out rather than left to ``ipaddress.is_global``, whose answers differ between Python
releases. Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses; for IPv6, all but
global unicast (2000::/3) is refused, and then the special parts of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Named = tuple[IPv4Network | IPv6Network, str]

_PRIVATE: Sequence[Named] = (
    (IPv4Network("10.0.0.0/8"), "private"),
    (IPv4Network("100.64.0.0/10"), "shared by a carrier's customers"),
    (IPv4Network("127.0.0.0/8"), "the sender's own (loopback)"),
    (IPv4Network("172.16.0.0/12"), "private"),
    (IPv4Network("192.168.0.0/16"), "private"),
    (IPv6Network("::1/128"), "the sender's own (loopback)"),
    (IPv6Network("fc00::/7"), "private"),
)
"""Refused unless the stack allows private endpoints."""

_NEVER: Sequence[Named] = (
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
"""Refused always."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE = IPv6Network("::/96")


def why_refused(address: str | Address, *, allow_private: bool = False) -> str | None:
    """Why nothing is sent to ``address``; None if it may be.

    An IPv6 address that stands for an IPv4 one (mapped, compatible, NAT64) is judged as that one.

    Raises:
        ValueError: if the text is no address.
    """
    one = ip_address(address) if isinstance(address, str) else address
    if isinstance(one, IPv6Address):
        if one.scope_id is not None:
            return f"{one} is valid on one link only"
        inner = _stands_for(one)
        if inner is not None:
            return why_refused(inner, allow_private=allow_private)
    for network, kind in _NEVER:
        if one in network:
            return f"{one} is {kind}"
    for network, kind in _PRIVATE:
        if one in network:
            return None if allow_private else f"{one} is {kind}"
    if isinstance(one, IPv6Address) and one not in _GLOBAL_UNICAST:
        return f"{one} is no public address"
    return None


def _stands_for(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
