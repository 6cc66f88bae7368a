"""The OnlineExamMaker API."""
