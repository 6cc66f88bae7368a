"""The tables, in moto or in memory."""
