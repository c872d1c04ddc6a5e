"""Drift of every column, on every row: what is compared, how, and what is said of it."""
