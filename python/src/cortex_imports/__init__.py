"""Finds the modules that a project imports, by reading its sources; nothing of it is run."""
