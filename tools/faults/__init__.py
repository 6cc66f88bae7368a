"""The fault matrix and the soak test: the deployed local stack under faults, compared with the provider's ledger.

``python -m tools.faults`` writes docs/faults.md, ``python -m tools.faults.soak`` writes docs/soak.md.
"""
