"""Errors of requests to the provider.

::

    ProviderError             helps_to_retry says whether another attempt, later, may help
    ├── ProviderRefused       no: it refuses the account code; once where it does not plainly say so
    ├── ProviderRejected      no: it refuses the request about this one exam
    ├── ProviderThrottled     yes, after ``retry_after_s``: it received too many requests
    ├── ProviderUnavailable   yes: no connection, no answer in time, or an error of its server
    └── ProviderMalformed     yes: the answer is not what was requested, or only half of it

The last two say no where an address or a certificate is plainly wrong, or an answer too big to read.

Each message is a sentence or two for a person and says what to do. It holds at most the provider's own
error text: no account code, no path or query of a URL, no other content of an answer. No error has a
cause or a context that does.
"""

from __future__ import annotations


class ProviderError(Exception):
    """The provider gave no usable answer."""

    def __init__(self, message: str, *, helps_to_retry: bool) -> None:
        super().__init__(message)
        self.helps_to_retry = helps_to_retry


class ProviderRefused(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider refuses the account code, so no other request makes sense."""

    def __init__(self, message: str, *, plain: bool = True) -> None:
        super().__init__(message, helps_to_retry=not plain)
        self.plain = plain
        """Whether that is certain; otherwise it may also be a temporary failure of its own."""


class ProviderRejected(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider answers a request about one exam with an error; the account may be fine."""

    def __init__(self, message: str, *, plain: bool = True) -> None:
        super().__init__(message, helps_to_retry=False)
        self.plain = plain
        """Whether it is certainly about this exam; if not, a code that was accepted just now proves that it is."""


class ProviderThrottled(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider received too many requests."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message, helps_to_retry=True)
        self.retry_after_s = retry_after_s
        """Seconds that it asks to pause for, where it says so; an hour at most."""


class ProviderUnavailable(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider could not be reached, was too slow, or its server failed."""

    def __init__(self, message: str, *, helps_to_retry: bool = True) -> None:
        super().__init__(message, helps_to_retry=helps_to_retry)


class ProviderMalformed(ProviderError):  # noqa: N818 - the name says what the provider did
    """The answer is not a list of records."""

    def __init__(self, message: str, *, helps_to_retry: bool = True) -> None:
        super().__init__(message, helps_to_retry=helps_to_retry)
