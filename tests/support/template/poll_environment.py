"""What the template gives Poll."""

from __future__ import annotations

from tests.support.storage.tables import ENDPOINTS, EVENTS, EXAMS, SUBMISSIONS


def poll_environment(base_url: str, code_arn: str, operations_arn: str, accounts_arn: str = "") -> dict[str, str]:
    """Poll's variables, for the legacy API of a provider."""
    return {
        "ACCOUNT_NAME": "main",
        "PROVIDER_BASE_URL": base_url,
        "PROVIDER_DIALECT": "legacy",
        "ACCOUNT_CODE_SECRET_ARN": code_arn,
        "REQUESTS_PER_SECOND": "10",
        "POLL_SECONDS": "60",
        "INITIAL_SYNC": "silent",
        "FULL_PASS_MINUTES": "60",
        "SUBMISSIONS_TABLE": SUBMISSIONS,
        "EXAMS_TABLE": EXAMS,
        "EVENTS_TABLE": EVENTS,
        "ENDPOINTS_TABLE": ENDPOINTS,
        "OPERATIONS_TOPIC_ARN": operations_arn,
        "FAILURE_QUEUE_URL": "https://sqs.test/failures",
        "ACCOUNTS_SECRET_ARN": accounts_arn,
    }
