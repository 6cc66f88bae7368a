"""The Dispatch function: send stored changes to every destination."""
