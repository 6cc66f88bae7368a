"""The Deliver function: send events to webhooks."""
