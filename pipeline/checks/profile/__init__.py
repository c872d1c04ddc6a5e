"""What is kept of a night's columns: counts in the same cells on both sides, so that nights add up."""
