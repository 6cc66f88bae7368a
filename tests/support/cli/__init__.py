"""The command line, run from tests."""
