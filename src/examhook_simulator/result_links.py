"""Links to a result: another token at every request, valid for 30 minutes, checked without storing any."""

from __future__ import annotations

import hashlib

LINK_LIFETIME_S = 1800
"""Lifetime of a link in virtual seconds [provider's page on queryResults, viewResult]."""

_MAC_DIGITS = 16


class ResultLinks:
    """Makes and checks the tokens in ``viewResult``: the same seed gives the same tokens in the same order.

    A token is ``{record}-{request}-{time}-{proof}``; the proof is of the middle two, made once for a page.
    """

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"{seed}/links".encode()).digest()

    def suffix(self, request_n: int, at: int) -> str:
        """The part after ``{record}-`` of all tokens in the answer to one request at virtual time ``at``."""
        facts = f"{request_n:x}-{at:x}"
        return f"{facts}-{self._proof(facts)}"

    def works(self, token: str, now: int) -> bool:
        """Whether this object made the token and the token has not expired."""
        _, _, suffix = token.partition("-")
        facts, _, proof = suffix.rpartition("-")
        if proof != self._proof(facts):
            return False
        return now <= int(facts.rpartition("-")[2], 16) + LINK_LIFETIME_S

    def _proof(self, facts: str) -> str:
        return hashlib.blake2b(facts.encode(), key=self._key, digest_size=_MAC_DIGITS // 2).hexdigest()
