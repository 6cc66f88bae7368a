"""The one place where settings are read and clients are built, once per process, and passed in."""
