"""Development tools: benchmarks, fault tests, and generators of documents."""
