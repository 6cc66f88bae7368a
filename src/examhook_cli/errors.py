"""What goes wrong between a person and an installation, said in one sentence that names the way out.

::

    CommandError            the command's own: what was asked for is not there or did not work; exit status 1

Besides its own errors a command meets those of the stack (``examhook_cli.stack``) and of botocore;
``explain`` puts all of them into words. Wrong usage is Typer's ``BadParameter``; exit status 2.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name, and the built-in is not used here
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)

from examhook_cli.stack import StackError, StackNotFoundError

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "UnauthorizedOperation",
    }
)
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_ACTION = re.compile(r"perform:? ([a-z0-9-]+:[A-Za-z0-9]+)")


class CommandError(Exception):
    """A command could not do what it was asked; the message is one sentence for the person at the keyboard."""


def explain(error: BaseException) -> str | None:
    """The sentence for an error that a person can do something about; None for any other error."""
    match error:
        case StackNotFoundError():
            return f"{error}{_running_hint()}"
        case CommandError() | StackError():
            return str(error)
        case ClientError():
            return _explain_refusal(error)
        case BotoCoreError() | HTTPClientError():
            return _explain_no_answer(error)
        case _:
            return None


def is_denial(error: BaseException) -> bool:
    """Whether AWS does not allow these credentials what was asked."""
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _DENIED


def _explain_refusal(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code", "an error")
    message = error.response.get("Error", {}).get("Message", "")
    if code in _DENIED:
        named = _ACTION.search(message)
        action = named.group(1) if named else error.operation_name
        return f"AWS denied {action} to these credentials: use others (--profile), or have that action allowed."
    if code in _BAD_CREDENTIALS:
        return f"AWS did not accept the credentials ({code}): sign in again, or use others (--profile)."
    if code == "ResourceNotFoundException":
        return f"A part of the stack is missing ({error.operation_name} found nothing): deploy the stack again."
    return f"AWS refused {error.operation_name} ({code}): {message}"


def _explain_no_answer(error: BotoCoreError | HTTPClientError) -> str:  # noqa: PLR0911 - one return for each kind
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return f"No AWS credentials were found: sign in (aws configure, or --profile).{_local_hint()}"
        case CredentialRetrievalError() | SSOError() | TokenRetrievalError():
            return f"The AWS credentials could not be renewed: sign in again (aws sso login). {error}"
        case NoRegionError():
            return f"No AWS region is set: name one with --region or AWS_REGION.{_local_hint()}"
        case ProfileNotFound():
            return f"{error}: name another with --profile, or make it with aws configure."
        case ReadTimeoutError():
            return f"{_endpoint_of(error)} took too long to answer: try again."
        case ConnectionError():
            return f"{_endpoint_of(error)} cannot be reached: check the network, or start the local stack again."
        case _:
            return f"The call to AWS failed: {error}"


def _endpoint_of(error: BotoCoreError | HTTPClientError) -> str:
    url = error.kwargs.get("endpoint_url")
    return str(url) if url else "AWS"


def _local_hint() -> str:
    return _running_hint() or " For a stack on this machine: examhook local up, then source .local/env"


def _running_hint() -> str:
    """Where the local stack runs and the shell does not look at it: what to source."""
    shell_file = Path(os.environ.get("EXAMHOOK_LOCAL_DIR", ".local")) / "env"
    if not shell_file.is_file() or "AWS_ENDPOINT_URL" in os.environ:
        return ""
    return f" For the local stack that runs here: source {shell_file.as_posix()}"
