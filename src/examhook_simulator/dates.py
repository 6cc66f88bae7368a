"""What the ``Date`` header of an answer says."""

from __future__ import annotations

from email.utils import formatdate

from examhook_simulator.quirks import Active, Quirk

SECOND_SERVER_AHEAD_S = 3 * 3600
"""How far the clock of the second of two servers is ahead."""


def date_headers(now: int, request_n: int, active: Active) -> dict[str, str]:
    """The ``Date`` header of the answer to one request; nothing where the header is absent."""
    switch = active.get(Quirk.DATE)
    shown_at = now
    match switch.value if switch else "":
        case "":
            pass
        case "absent":
            return {}
        case "1970":
            shown_at = 0
        case "stuck":
            shown_at = switch.since if switch else now
        case "two_servers":
            shown_at = now + SECOND_SERVER_AHEAD_S * (request_n % 2)
        case offset_s:
            shown_at = max(0, now + int(offset_s))
    return {"Date": formatdate(shown_at, usegmt=True)}
