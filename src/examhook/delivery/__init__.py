"""Rules of webhook delivery: what to send, where, when to retry, and when to disable an endpoint."""
