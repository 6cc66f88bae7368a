"""The Dispatch function: send events of stored changes to every destination."""
