"""The ``examhook`` command line."""
