"""Errors of commands, and the sentence that each error prints.

::

    CommandError                the command failed; exit status 1
    ├── NotInstalledError       ``make install`` is missing; a retry does not help
    ├── NotUpError              no local stack runs; start it with ``examhook local up``
    ├── PortInUseError          another program uses the port; choose another port
    ├── EmulatorError           the emulator does not start or stop; its log contains the reason
    └── DeployError             the local stack is not deployed or a function does not start

Errors of the stack (``examhook_cli.stack``) and of botocore also reach the user; ``explain`` describes them all.
Wrong usage is Typer's ``BadParameter``; exit status 2.
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
    """A command failed; the message is one sentence that says what to do."""


class NotInstalledError(CommandError):
    """The project's checkout or one of its virtual environments is missing."""


class NotUpError(CommandError):
    """No local stack is running."""


class PortInUseError(CommandError):
    """Another program listens on the port."""


class EmulatorError(CommandError):
    """The emulator did not start or did not stop."""


class DeployError(CommandError):
    """The local stack could not be deployed or does not work."""


def explain(error: BaseException) -> str | None:
    """The sentence to print for an expected error; None for an unexpected one."""
    match error:
        case StackNotFoundError():
            return f"{error}{_running_hint()}"
        case CommandError() | StackError():
            return str(error)
        case ClientError():
            return _explain_client_error(error)
        case BotoCoreError() | HTTPClientError():
            return _explain_no_response(error)
        case _:
            return None


def error_code(error: BaseException) -> str | None:
    """AWS's code for the error (``AccessDenied``, …); None for any other error."""
    return error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None


def is_denial(error: BaseException) -> bool:
    """Whether the credentials lack a permission."""
    return error_code(error) in _DENIED


def _explain_client_error(error: ClientError) -> str:
    code = error_code(error) or "an error"
    message = error.response.get("Error", {}).get("Message", "")
    if code in _DENIED:
        named = _ACTION.search(message)
        action = named.group(1) if named else error.operation_name
        return f"AWS denied {action} to these credentials: allow this action, or use other credentials (--profile)."
    if code in _BAD_CREDENTIALS:
        return f"AWS did not accept the credentials ({code}): sign in again, or use other credentials (--profile)."
    if code == "ResourceNotFoundException":
        return f"A resource of the stack is missing ({error.operation_name}): deploy the stack again."
    return f"AWS rejected {error.operation_name} ({code}): {message}"


def _explain_no_response(error: BotoCoreError | HTTPClientError) -> str:  # noqa: PLR0911 - one return for each kind
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return f"No AWS credentials found: sign in (aws configure), or use --profile.{_local_hint()}"
        case CredentialRetrievalError() | SSOError() | TokenRetrievalError():
            return f"The AWS credentials could not be renewed: sign in again (aws sso login). {error}"
        case NoRegionError():
            return f"No AWS region is set: use --region or AWS_REGION.{_local_hint()}"
        case ProfileNotFound():
            return f"{error}: choose another with --profile, or create it with aws configure."
        case ReadTimeoutError():
            return f"{_endpoint_of(error)} took too long to respond: try again."
        case ConnectionError():
            return f"{_endpoint_of(error)} is unreachable: check the network, or restart the local stack."
        case _:
            return f"The call to AWS failed: {error}"


def _endpoint_of(error: BotoCoreError | HTTPClientError) -> str:
    url = error.kwargs.get("endpoint_url")
    return str(url) if url else "AWS"


def _local_hint() -> str:
    return _running_hint() or " For a local stack: examhook local up, then source .local/env"


def _running_hint() -> str:
    """How to select the local stack; empty if none runs or the shell already selects it."""
    shell_file = Path(os.environ.get("EXAMHOOK_LOCAL_DIR", ".local")) / "env"
    if not shell_file.is_file() or "AWS_ENDPOINT_URL" in os.environ:
        return ""
    return f" To use the local stack that is running: source {shell_file.as_posix()}"
