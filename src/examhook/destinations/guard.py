"""The session that webhooks go through: it connects only to addresses that may be connected to.

The host's name is looked up once for each connection; every address found is checked before any is
connected to, and the connection goes to an address that was checked, while TLS verifies the name.
So neither a name that points inside nor one that changes between check and connection gets through.
Redirects are not followed, so an answer cannot lead elsewhere.
"""

from __future__ import annotations

from examhook.delivery.address import why_refused
from examhook.http.adapter import BoundedAdapter
from examhook.http.call import AddressCheck
from examhook.http.errors import BlockedAddressError
from examhook.http.session import BoundedSession


def guarded_session(*, allow_private: bool) -> BoundedSession:
    """A session that raises BlockedAddressError for addresses outside the public internet.

    With ``allow_private`` (the stack's AllowPrivateEndpoints) private and loopback addresses will
    do; link-local ones, where metadata is served, never will.
    """
    return BoundedSession(BoundedAdapter(address_check(allow_private=allow_private)))


def address_check(*, allow_private: bool) -> AddressCheck:
    """What the session asks about each address before it connects to any."""

    def check(ip: str) -> None:
        reason = why_refused(ip, allow_private=allow_private)
        if reason:
            raise BlockedAddressError(f"Nothing was sent: {reason}.")

    return check
