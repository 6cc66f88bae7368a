"""Benchmarks of the load on the provider, of AWS usage and of speed, next to other ways to do the same work.

::

    python -m tools.bench                      measure all parts and write docs/benchmarks.md
    python -m tools.bench --only delivery      measure one part and keep the other sections

Each measured program runs in a separate process. The provider and the AWS emulator do too, so nothing that they use
is counted.
"""
