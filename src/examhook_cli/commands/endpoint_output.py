"""How the ``endpoints`` commands print an endpoint; secrets only with ``--reveal-secret``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from examhook.delivery.endpoint import Endpoint
from examhook.events.catalogue import DEFAULT_TYPES
from examhook_cli.output import print_facts, print_table, time_text


def endpoint_facts(endpoint: Endpoint) -> dict[str, object]:
    """An endpoint as ``--json`` prints it; times are RFC 3339 in UTC or null, an empty filter means all."""
    health = endpoint.health
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "status": endpoint.status.value,
        "disabled_reason": endpoint.disabled_reason,
        "disabled_at": time_text(endpoint.disabled_at) or None,
        "origin": endpoint.origin.value,
        "types": list(endpoint.types or DEFAULT_TYPES),
        "exam_ids": list(endpoint.exam_ids),
        "accounts": list(endpoint.accounts),
        "description": endpoint.description,
        "privacy": endpoint.privacy.value,
        "format": endpoint.body_format.value,
        "content_type": endpoint.content_type.value,
        "header_names": list(endpoint.header_names),
        "rate_per_second": endpoint.rate_per_second,
        "previous_secret_until": time_text(endpoint.previous_secret_until) or None,
        "created_at": time_text(endpoint.created_at),
        "health": {
            "last_success_at": time_text(health.last_success_at) or None,
            "last_failure_at": time_text(health.last_failure_at) or None,
            "failing_since": time_text(health.failing_since) or None,
            "last_error": health.last_error,
            "consecutive_failures": health.consecutive_failures,
        },
    }


def print_endpoints(endpoints: Sequence[Endpoint]) -> None:
    """Print a table of endpoints."""
    print_table(
        ("id", "status", "format", "failing since", "last success at", "url"),
        [
            (
                endpoint.endpoint_id,
                endpoint.status.value,
                endpoint.body_format.value,
                time_text(endpoint.health.failing_since),
                time_text(endpoint.health.last_success_at),
                endpoint.url,
            )
            for endpoint in endpoints
        ],
        empty="No endpoints: add one with examhook endpoints add URL.",
    )


def print_endpoint(endpoint: Endpoint, revealed: Mapping[str, object]) -> None:
    """Print one endpoint; ``revealed`` holds its ``secret`` and ``headers`` if the user asked for them."""
    health = endpoint.health
    print_facts(
        {
            "id": endpoint.endpoint_id,
            "url": endpoint.url,
            "description": endpoint.description,
            "status": endpoint.status.value,
            "disabled because": endpoint.disabled_reason or "",
            "disabled at": time_text(endpoint.disabled_at),
            "origin": endpoint.origin.value,
            "privacy": endpoint.privacy.value,
            "format": endpoint.body_format.value,
            "content type": endpoint.content_type.value,
            "headers": ", ".join(endpoint.header_names),
            "types": ", ".join(endpoint.types or DEFAULT_TYPES),
            "exams": ", ".join(endpoint.exam_ids) or "all",
            "accounts": ", ".join(endpoint.accounts) or "all",
            "created at": time_text(endpoint.created_at),
            "last success at": time_text(health.last_success_at),
            "last failure at": time_text(health.last_failure_at),
            "failing since": time_text(health.failing_since),
            "failures in a row": str(health.consecutive_failures or ""),
            "last error": health.last_error or "",
            "old secret signs until": time_text(endpoint.previous_secret_until),
            "signing secret": str(revealed.get("secret", "")),
            "header values": json.dumps(revealed["headers"]) if "headers" in revealed else "",
        }
    )
