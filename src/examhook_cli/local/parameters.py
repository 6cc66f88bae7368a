"""Settings of the local stack and the template parameters that they become."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

_MAX_POLL_SECONDS = 24 * 60 * 60
_PLAIN = re.compile(r"[^\s\\\"']+")


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Settings of one deployment."""

    base_url: str
    account_code: str = field(repr=False)
    webhook_urls: tuple[str, ...] = ()
    poll_seconds: int | None = 15
    """Seconds between polls; None disables the schedule."""
    requests_per_second: float = 5
    initial_sync: str = "silent"
    dialect: str = "legacy"
    event_bus: str = ""
    """EventBridge bus in the emulator that also receives every event; empty for none."""

    def parameters(self) -> dict[str, str]:
        """Template parameters."""
        return {
            "ProviderBaseUrl": self.base_url,
            "ProviderDialect": self.dialect,
            "AccountCode": self.account_code,
            "WebhookUrls": ",".join(self.webhook_urls),
            "EventBusName": self.event_bus,
            "RequestsPerSecond": f"{self.requests_per_second:g}",
            "InitialSync": self.initial_sync,
            **schedule_parameters(self.poll_seconds),
            # Receivers on this machine have private addresses and no certificates.
            "AllowHttpEndpoints": "true",
            "AllowPrivateEndpoints": "true",
            # The emulator runs the functions with this machine's Python.
            "PythonRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
            "Architecture": "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64",
        }


def schedule_parameters(poll_seconds: int | None) -> dict[str, str]:
    """Template parameters of a poll interval: 5 to 60 s, or whole minutes up to a day; raises ValueError."""
    if poll_seconds is None:
        return {"Polling": "DISABLED"}
    if 5 <= poll_seconds <= 60:  # noqa: PLR2004 - the bounds of the template's parameter
        return {"Polling": "ENABLED", "PollSeconds": str(poll_seconds), "PollSchedule": "rate(1 minute)"}
    minutes, rest = divmod(poll_seconds, 60)
    if rest or not 60 < poll_seconds <= _MAX_POLL_SECONDS:  # noqa: PLR2004 - as above
        raise ValueError(poll_seconds)
    return {"Polling": "ENABLED", "PollSeconds": "60", "PollSchedule": f"rate({minutes} minutes)"}


def parameters_file(parameters: Mapping[str, str]) -> str:
    """Content of the YAML file for ``sam deploy --parameter-overrides``, written as JSON.

    ``sam`` interprets quotes and backslashes in values, so each value must be plain (``is_plain``).
    """
    return json.dumps(parameters, ensure_ascii=False)


def is_plain(value: str) -> bool:
    """Whether ``sam`` passes a value unchanged: printable, without spaces, quotes and backslashes."""
    return _PLAIN.fullmatch(value) is not None and value.isprintable()
