"""The Retry function: monitor endpoint health and enqueue due deliveries."""
