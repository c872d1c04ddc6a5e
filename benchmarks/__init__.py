"""Measured side by side against peers."""
