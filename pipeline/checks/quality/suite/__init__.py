"""Suites: read from their file, and worded for people."""
