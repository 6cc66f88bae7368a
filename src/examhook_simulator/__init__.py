"""A simulated exam provider for development, tests and measurements."""
