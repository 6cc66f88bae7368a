"""Checks of an installation, with the operator's own permissions and without requests to the provider."""
