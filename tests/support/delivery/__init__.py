"""Deliver and Retry, and the receivers of their webhooks."""
