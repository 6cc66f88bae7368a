"""The demo: a scenario on a local stack that compares sent with received events."""
