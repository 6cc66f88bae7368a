"""What an operator starts: endpoints, backfill, redrive, replay and erasure."""
