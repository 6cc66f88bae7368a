"""A ``requests`` session in which no call can hang, grow without bound, or be led elsewhere.

Not written yet.
"""
