"""The fault matrix and the soak: the deployed local stack, made to suffer, and the ledger held against its receivers.

``python -m tools.faults`` writes docs/faults.md, ``python -m tools.faults.soak`` writes docs/soak.md.
"""
