"""The part of the benchmarks about delivery: how soon, how fast, how fair, how sure, and for how much.

The receivers are a process of their own, as is everything that is measured (``tools.bench.json_process``).
"""
