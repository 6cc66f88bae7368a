"""Verifies signatures with the package of the Standard Webhooks specification.

The package accepts timestamps within five minutes of now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from examhook.delivery.signature import check_secret


class Verifier:
    """Verifies requests against one or more signing secrets (``whsec_…``)."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises BadSecretError, whose message does not contain the secret."""
        self._webhooks = [Webhook(check_secret(secret)) for secret in secrets]

    def problem_with(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Reason to reject the request; None if one of the secrets signed it."""
        problem = "no secret is configured"
        for webhook in self._webhooks:
            try:
                webhook.verify(body, dict(headers), json_parse=False)
            except WebhookVerificationError as error:
                problem = _PROBLEMS.get(str(error), _UNKNOWN_FORMAT)
            except ValueError:
                # The package does not validate headers: it raises this for "v1" without a comma, for invalid base64
                # and for a body that is not UTF-8.
                problem = _UNKNOWN_FORMAT
            else:
                return None
        return problem


_UNKNOWN_FORMAT = "the format of the signature is unknown"
_PROBLEMS = {
    "Missing required headers": "it is not signed",
    "Invalid Signature Headers": "its timestamp is not readable",
    "Message timestamp too old": "its timestamp is more than five minutes old",
    "Message timestamp too new": "its timestamp is more than five minutes ahead",
    "No matching signature found": "the signature does not match",
}
