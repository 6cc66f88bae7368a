"""Rules for events: types, bodies, ids and texts. Pure functions without AWS, HTTP or a clock."""
