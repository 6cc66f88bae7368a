"""Receiver matrix: sends every event type to web frameworks and libraries with the sender of Deliver."""
