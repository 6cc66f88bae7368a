"""What to ask next, what changed, which event that is: pure rules."""
