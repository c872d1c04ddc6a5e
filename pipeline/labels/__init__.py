"""What labels say: of which task they are, and how they join with predictions. Nights and retrainings share it."""
