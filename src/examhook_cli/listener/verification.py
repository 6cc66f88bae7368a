"""Whether a request was signed by who holds one of the secrets, by the Standard Webhooks specification.

The signature is checked by the specification's own package, which accepts timestamps up to five
minutes away from now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from examhook.delivery.signature import check_secret


class Verifier:
    """Checks requests against one or more secrets (``whsec_…``, as an endpoint was given it)."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises BadSecretError (``delivery.signature``); the message does not repeat the secret."""
        self._webhooks = [Webhook(check_secret(secret)) for secret in secrets]

    def problem_with(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Why the request is not to be trusted; None if one of the secrets signed it."""
        problem = "no secret to check it with"
        for webhook in self._webhooks:
            try:
                webhook.verify(body, dict(headers), json_parse=False)
            except WebhookVerificationError as error:
                problem = _PROBLEMS.get(str(error), "the signature is of no form that is known")
            except ValueError:
                # The package takes the headers apart without looking: "v1" without a comma, text that is not base64,
                # a body that is not UTF-8 all end here.
                problem = "the signature is of no form that is known"
            else:
                return None
        return problem


_PROBLEMS = {
    "Missing required headers": "it is not signed",
    "Invalid Signature Headers": "its timestamp cannot be read",
    "Message timestamp too old": "its timestamp is more than five minutes old",
    "Message timestamp too new": "its timestamp is more than five minutes ahead",
    "No matching signature found": "the signature does not match",
}
