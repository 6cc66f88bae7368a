"""Measures what the product costs its provider, its tables and its processor, beside other ways to do the work.

::

    python -m tools.bench                      play every measure and write docs/benchmarks.md
    python -m tools.bench --only delivery      only that part; the sections of the others stay as they are

Each program that is measured runs in a process of its own; so do the provider and the AWS emulator,
so that what they use is counted for nobody.
"""
