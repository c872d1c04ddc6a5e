"""Checks against the reference that need no suite, and what the reference is like."""
