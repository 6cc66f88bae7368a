"""How an account's requests per second are shared between polls and the renewing of result links.

The two run in different processes. Each keeps to its own share, so together they keep to the whole
without knowing of each other: of R requests a second, polls may make R - 1 and renewals 1. Within any
second at most R - 1 of the one and 1 of the other arrive (``provider.pacing``, ``storage.link_turns``).

Where less than 2 are allowed, a share of 1 would leave polls too little, and two requests could come
within the time of one. Then polls have all, and links are not renewed.
"""

from __future__ import annotations

LINKS_PER_SECOND = 1.0
_LEAST_TO_SHARE = 2.0


def polls_share(requests_per_second: float) -> float:
    """Requests per second that polls of an account may make."""
    return requests_per_second - LINKS_PER_SECOND if renews_links(requests_per_second) else requests_per_second


def renews_links(requests_per_second: float) -> bool:
    """Whether an account with so many requests per second has any left for renewing links."""
    return requests_per_second >= _LEAST_TO_SHARE
