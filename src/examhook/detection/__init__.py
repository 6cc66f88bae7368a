"""Pure rules of polling: what to read, what changed, and which events follow."""
