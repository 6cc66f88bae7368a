"""Receives, verifies and prints webhooks."""
