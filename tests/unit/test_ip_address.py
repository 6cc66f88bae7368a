"""Addresses and URLs that webhooks must never reach, and ordinary ones that they may."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.ip_address import ip_refusal_reason
from examhook.delivery.url import EndpointUrlError, check_endpoint_url
from examhook.destinations.webhook import address_check
from examhook.http.errors import BlockedAddressError

HOSTILE_ALWAYS = [
    "0.0.0.0",  # noqa: S104 - refused, not bound to
    "0.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.100.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2001:db8::1",
    "2002:a9fe:a9fe::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "100::1",
    "4000::1",
    "::ffff:255.255.255.255",
    "::ffff:0:169.254.169.254",
]
HOSTILE_UNLESS_PRIVATE_IS_ALLOWED = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "::1",
    "fc00::1",
    "fdff::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
]
ORDINARY = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "169.253.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "2400:cb00::1",
    "::ffff:1.1.1.1",
    "64:ff9b::8.8.8.8",
]


@pytest.mark.parametrize("address", HOSTILE_ALWAYS + HOSTILE_UNLESS_PRIVATE_IS_ALLOWED)
def test_a_hostile_address_is_rejected(address: str) -> None:
    with pytest.raises(BlockedAddressError):
        address_check(allow_private=False)(address)


@pytest.mark.parametrize("address", HOSTILE_ALWAYS)
def test_some_addresses_are_rejected_even_if_private_ones_are_allowed(address: str) -> None:
    with pytest.raises(BlockedAddressError):
        address_check(allow_private=True)(address)


@pytest.mark.parametrize("address", HOSTILE_UNLESS_PRIVATE_IS_ALLOWED)
def test_private_addresses_are_accepted_if_allowed(address: str) -> None:
    address_check(allow_private=True)(address)


@pytest.mark.parametrize("address", ORDINARY)
def test_an_ordinary_address_is_accepted(address: str) -> None:
    address_check(allow_private=False)(address)


@given(st.ip_addresses())
def test_accepted_addresses_are_global_according_to_python(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Every address that Python classifies as private, reserved or multicast is rejected."""
    if ip_refusal_reason(address) is None and not str(address).startswith("64:ff9b::"):
        mapped = getattr(address, "ipv4_mapped", None) or address
        assert not mapped.is_private
        assert not mapped.is_multicast
        assert not mapped.is_link_local
        assert not mapped.is_reserved


HOSTILE_URLS = [
    "",
    "example.com/hook",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "//example.com/hook",
    "http://example.com/hook",
    "https://",
    "https:///hook",
    "https://user@example.com/",
    "https://user:word@example.com/",  # pragma: allowlist secret
    "https://example.com@169.254.169.254/",
    "https://example.com#@evil.test/",
    "https://example.com/#part",
    "https://example.com/#",
    "https://example.com\\@127.0.0.1/",
    "https://exa mple.com/",
    "https://example.com/a b",
    "https://example.com/\r\nX-Evil: 1",
    "https://example.com:0/",
    "https://example.com:/",
    "https://example.com:65536/",
    "https://example.com:port/",
    "https://example.com:+443/",
    "https://example.com:-1/",
    "https://localhost/",
    "https://LOCALHOST:9001/",
    "https://a.localhost/",
    "https://ip6-localhost/",
    "https://printer.local/",
    "https://db.internal/",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://instance-data/",
    "https://example.com./",
    "https://127.0.0.1/",
    "https://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.0x1/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1%25eth0]/",
    "https://169.254.170.2/v2/credentials",
    "https://[::ffff:169.254.170.2]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fc00::1]/",
    "https://[fe80::1]/",
    "https://[ff02::1]/",
    "https://[::]/",
    "https://0/",
    "https://0.0.0.0/",
    "https://00000000177.1/",
    "https://0x7f.1/",
    "https://127.0.1/",
    "https://0251.0376.0251.0376/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://169.254.43518/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://127.0.0.1./",
    "https://localhost./",
    "https://localhost.localdomain/",
    "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "https://127\u30020\u30020\u30021/",
    "https://%31%32%37.0.0.1/",
    "https://[::1/",
    "https://[::1]evil.test/",
    "https://[v1.x]/",
    "https://①②⑦.0.0.1/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://bücher.example/",
    "https://exam%70le.com/",
    "https://example..com/",
    "https://-example.com/",
    "https://example.com,evil.test/",
    "https://" + "a" * 64 + ".com/",
    "https://" + "a." * 130 + "com/",
    "https://example.com/" + "a" * 2048,
]
ORDINARY_URLS = [
    "https://example.com",
    "https://example.com/",
    "https://example.com:8443/hooks/exam?token=abc&x=%20",
    "https://hooks.xn--bcher-kva.example/a/b",
    "https://my_service.example.com/hook",
    "https://1.1.1.1/hook",
    "https://[2606:4700:4700::1111]:443/hook",
    "https://3com.example/hook",
    "HTTPS://Example.COM/Hook",
]


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_rejected_in_one_sentence(url: str) -> None:
    with pytest.raises(EndpointUrlError) as caught:
        check_endpoint_url(url)
    assert str(caught.value).endswith((".", "…)."))


@pytest.mark.parametrize("url", ORDINARY_URLS)
def test_an_ordinary_url_is_accepted(url: str) -> None:
    check_endpoint_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/hook", "http://localhost:8080/", "http://receiver/hook"])
def test_a_local_run_may_use_plain_http_and_local_names(url: str) -> None:
    check_endpoint_url(url, allow_http=True, allow_private=True)


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://0.0.0.0/", "http://0177.0.0.1/", "ftp://a.test/"])
def test_even_a_local_run_rejects_some_urls(url: str) -> None:
    with pytest.raises(EndpointUrlError):
        check_endpoint_url(url, allow_http=True, allow_private=True)


@given(st.text())
def test_no_url_breaks_the_check(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/path"):
        try:
            check_endpoint_url(url)
        except EndpointUrlError:
            continue
