"""A scenario played on the local stack, narrated and reconciled."""
