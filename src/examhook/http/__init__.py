"""The HTTP client for the provider and for webhooks."""
