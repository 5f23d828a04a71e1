"""Tests of the storage agent."""
