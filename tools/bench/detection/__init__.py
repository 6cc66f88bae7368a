"""Detection: requests, events and resources of polls, next to other ways to do the same work."""
