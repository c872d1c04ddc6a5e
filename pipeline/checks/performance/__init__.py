"""How well the model did, where labels have arrived."""
