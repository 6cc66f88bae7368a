"""Detection: requests, events and resources of polls, compared with other ways to do the same work."""
