"""Benchmarks of the load on the provider, of AWS usage and of speed, compared with other ways to do the same work.

::

    python -m tools.bench                      measure all parts and write docs/benchmarks.md
    python -m tools.bench --only delivery      measure one part and keep the other sections

Each measured program, the provider and the AWS emulator run in separate processes, so the figures are those of the
measured program alone.
"""
