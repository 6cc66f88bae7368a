"""What each function is configured with: read once, every bad variable named at once.

The template sets the variables (``template.yaml``, ``Environment``); nothing else in the package
reads the environment.
"""

from examhook.settings.account import DEFAULT_BASE_URLS, Dialect, InitialSync, base_url_for, parse_base_url
from examhook.settings.deliver import DeliverSettings
from examhook.settings.dispatch import DispatchSettings
from examhook.settings.poll import PollSettings
from examhook.settings.reading import SettingsError
from examhook.settings.retry import RetrySettings

__all__ = [
    "DEFAULT_BASE_URLS",
    "DeliverSettings",
    "Dialect",
    "DispatchSettings",
    "InitialSync",
    "PollSettings",
    "RetrySettings",
    "SettingsError",
    "base_url_for",
    "parse_base_url",
]
