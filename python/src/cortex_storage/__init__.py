"""The storage agent: lists and downloads models from object stores and web servers for a Cortex server."""
