"""What can go wrong when the provider is asked.

::

    ProviderError             helps_to_retry says whether asking again, later, may help
    ├── ProviderRefused       no: it refuses the account code; once where it does not plainly say so
    ├── ProviderRejected      no: it refuses the question about this one exam
    ├── ProviderThrottled     yes, after ``retry_after_s``: it was asked too often
    ├── ProviderUnavailable   yes: no connection, no answer in time, or an error of its server
    └── ProviderMalformed     yes: the answer is not what was asked for, or only half of it

The last two say no where the address is plainly wrong.

Each message is a sentence or two for a person and says what to do. None holds the account code, a
URL's path or query, or any content of an answer but the provider's own error text, and none has a
cause or context that does.
"""

from __future__ import annotations


class ProviderError(Exception):
    """The provider gave no usable answer."""

    def __init__(self, message: str, *, helps_to_retry: bool) -> None:
        super().__init__(message)
        self.helps_to_retry = helps_to_retry


class ProviderRefused(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider refuses the account code, so that no other question makes sense."""

    def __init__(self, message: str, *, plain: bool = True) -> None:
        super().__init__(message, helps_to_retry=not plain)
        self.plain = plain
        """Whether that is certain; otherwise it may also be trouble of its own that passes."""


class ProviderRejected(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider answers a question about one exam with an error; the account may be all right."""

    def __init__(self, message: str, *, plain: bool = True) -> None:
        super().__init__(message, helps_to_retry=False)
        self.plain = plain
        """Whether it is about this exam for certain; if not, a code that was accepted just now proves that it is."""


class ProviderThrottled(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider was asked too often."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message, helps_to_retry=True)
        self.retry_after_s = retry_after_s
        """How long it wants to be left alone, if it said so; an hour at most."""


class ProviderUnavailable(ProviderError):  # noqa: N818 - the name says what the provider did
    """The provider could not be reached, was too slow, or its server failed."""

    def __init__(self, message: str, *, helps_to_retry: bool = True) -> None:
        super().__init__(message, helps_to_retry=helps_to_retry)


class ProviderMalformed(ProviderError):  # noqa: N818 - the name says what the provider did
    """The answer is not a list of records."""

    def __init__(self, message: str, *, helps_to_retry: bool = True) -> None:
        super().__init__(message, helps_to_retry=helps_to_retry)
