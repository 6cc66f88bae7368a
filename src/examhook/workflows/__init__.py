"""Use cases: polling the provider, dispatching events, delivering webhooks, retrying, and administration."""
