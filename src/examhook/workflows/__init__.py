"""The use cases: decide by the rules, act by the adapters."""
