"""What a night would have come to under other settings, from what was kept of it."""
