"""Errors of requests to the provider.

::

    ProviderError             ``retryable`` says whether a later attempt can help
    ├── ProviderRefused       no: wrong account code (yes if that is not certain)
    ├── ProviderRejected      no: error about one exam
    ├── ProviderThrottled     yes, after ``retry_after_s``: too many requests
    ├── ProviderUnavailable   yes: no connection, no answer in time, or a server error
    └── ProviderMalformed     yes: the answer is incomplete or not an answer of the API

The last two are not retryable if the base URL or a certificate is clearly wrong, or an answer is too large to read.

A message is one or two sentences for operators and says what to do. It contains no account code, no path or query of a
URL, and nothing of an answer except the provider's error text. The same holds for the cause and context of an error.
"""

from __future__ import annotations


class ProviderError(Exception):
    """The provider gave no usable answer."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class ProviderRefused(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider rejects the account code, so further requests are useless."""

    def __init__(self, message: str, *, plain: bool = True) -> None:
        super().__init__(message, retryable=not plain)
        self.plain = plain
        """Whether the answer says so clearly. Otherwise the provider may have failed temporarily."""


class ProviderRejected(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider answers with an error about one exam. The account code may be correct."""

    def __init__(self, message: str, *, plain: bool = True) -> None:
        super().__init__(message, retryable=False)
        self.plain = plain
        """Whether the error is clearly about this exam. Otherwise the account code may have become invalid."""


class ProviderThrottled(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider received too many requests."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message, retryable=True)
        self.retry_after_s = retry_after_s
        """Pause that the provider asks for, at most one hour; None if it asks for none."""


class ProviderUnavailable(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider could not be reached, was too slow, or failed."""


class ProviderMalformed(ProviderError):  # noqa: N818 - the name says what the provider did
    """The answer is not a list of records."""
