"""What a person may choose for the local stack, and the template's parameters that say it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook_cli.local.environment import architecture

_LONGEST_S = 24 * 60 * 60
_PLAIN = re.compile(r"[^\s\\\"']+")


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Choices for one deployment of the local stack."""

    base_url: str
    account_code: str = field(repr=False)
    webhook_urls: tuple[str, ...] = ()
    poll_seconds: int | None = 15
    """Seconds between polls; None: no polls but by ``examhook poll``."""
    requests_per_second: float = 5
    initial_sync: str = "silent"
    dialect: str = "legacy"
    event_bus: str = ""
    """An EventBridge bus of the emulator's that gets every event too; empty for none."""

    def parameters(self) -> dict[str, str]:
        """Values for the template's parameters."""
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
            # The emulator runs the functions with this machine's own Python.
            "PythonRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
            "Architecture": architecture(),
        }


def schedule_parameters(poll_seconds: int | None) -> dict[str, str]:
    """Parameters that poll every so many seconds: 5 to 60, or whole minutes up to a day; raises ValueError."""
    if poll_seconds is None:
        return {"Polling": "DISABLED"}
    if 5 <= poll_seconds <= 60:  # noqa: PLR2004 - the bounds of the template's parameter
        return {"Polling": "ENABLED", "PollSeconds": str(poll_seconds), "PollSchedule": "rate(1 minute)"}
    minutes, rest = divmod(poll_seconds, 60)
    if rest or not 60 < poll_seconds <= _LONGEST_S:  # noqa: PLR2004 - as above
        raise ValueError(poll_seconds)
    return {"Polling": "ENABLED", "PollSeconds": "60", "PollSchedule": f"rate({minutes} minutes)"}


def parameters_file(parameters: Mapping[str, str]) -> str:
    """``parameters`` as the file that ``sam deploy --parameter-overrides file://….yaml`` reads: JSON, which is YAML.

    ``sam`` takes quotes and backslashes in values for its own; ``is_plain`` tells which values it leaves alone.
    """
    return json.dumps(parameters, ensure_ascii=False)


def is_plain(value: str) -> bool:
    """Whether a value reaches the template as it is: printable, without spaces, quotes and backslashes."""
    return _PLAIN.fullmatch(value) is not None and value.isprintable()
