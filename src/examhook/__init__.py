"""Examhook: turns an OnlineExamMaker account into an event source."""

__version__ = "0.1.0"
