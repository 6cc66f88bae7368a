"""The Retry function: re-queue due deliveries and watch the health of endpoints."""
