"""Receives, verifies and formats webhooks."""
