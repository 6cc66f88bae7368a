"""Operator tasks: managing endpoints, backfill, redrive, replay and erasure."""
