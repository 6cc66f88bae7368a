"""Writes documents, or parts of them, from the code: ``python -m tools.generate.NAME``."""
