"""Endpoints, attempts, answers and signatures of webhooks: pure rules."""
