"""Result links: a new token in every answer, valid for 30 minutes. Tokens are not stored."""

from __future__ import annotations

import hashlib

LINK_LIFETIME_S = 1800
"""Lifetime of a link in virtual seconds [provider's page on queryResults, viewResult]."""

_MAC_DIGITS = 16


class ResultLinks:
    """Makes and checks the tokens in ``viewResult``. The same seed gives the same tokens.

    A token is ``{record}-{request}-{time}-{proof}``. The proof signs request and time, once per page.
    """

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"{seed}/links".encode()).digest()

    def suffix(self, request_n: int, at: int) -> str:
        """Return the part after ``{record}-`` of all tokens in one answer at virtual time ``at``."""
        facts = f"{request_n:x}-{at:x}"
        return f"{facts}-{self._proof(facts)}"

    def works(self, token: str, now: int) -> bool:
        """Return whether this object made the token and the token has not expired."""
        _, _, suffix = token.partition("-")
        facts, _, proof = suffix.rpartition("-")
        if proof != self._proof(facts):
            return False
        return now <= int(facts.rpartition("-")[2], 16) + LINK_LIFETIME_S

    def _proof(self, facts: str) -> str:
        return hashlib.blake2b(facts.encode(), key=self._key, digest_size=_MAC_DIGITS // 2).hexdigest()
