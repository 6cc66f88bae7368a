"""Lambda entry points: parse, call, map."""
