"""Settings of each function, read from the environment variables that ``template.yaml`` sets."""

from examhook.settings.poll import DEFAULT_BASE_URLS, Dialect, InitialSync, PollSettings, base_url_for, parse_base_url
from examhook.settings.reader import SettingsError
from examhook.settings.sending import DeliverSettings, DispatchSettings, RetrySettings

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
