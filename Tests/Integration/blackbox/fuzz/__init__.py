"""Requests that are nearly right, sent to a running server."""
