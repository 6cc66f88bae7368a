"""The demo: runs a scenario on a local stack and compares expected with received events."""
