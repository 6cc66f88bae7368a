"""The fault matrix and the soak: the deployed local stack, made to suffer, and the ledger held against its receivers.

Nothing in ``src/`` or ``cli/`` imports this. ``python -m faults`` writes docs/faults.md, ``python -m faults.soak``
writes docs/soak.md.
"""
