"""How well the model does before labels have come: expected from the reference, and judged once they have."""
