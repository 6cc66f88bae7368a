"""Builds each function's use cases: reads the settings and creates the clients, once per process."""
