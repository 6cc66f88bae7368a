"""Deploys the project's template into an AWS emulator on this machine."""
