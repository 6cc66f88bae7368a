"""Generators of documents, or of parts of them: ``python -m tools.generate.NAME``."""
