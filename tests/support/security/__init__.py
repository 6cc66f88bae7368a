"""Searches for secrets in output."""
