"""Dispatch and redrive in moto."""
