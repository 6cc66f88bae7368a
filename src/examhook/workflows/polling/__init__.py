"""The Poll function: read the provider, store what changed."""
